import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { MysqlServer, type Recipe, runToEnd } from './mysql-server.ts'

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

function find(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

const server = find('mariadbd')
const install = find('mariadb-install-db')

export const hasMariadb = server !== undefined && install !== undefined

export const NO_MARIADB = 'MariaDB is not installed (Debian: apt-get install mariadb-server)'

/** MariaDB as Debian installs it; `extra` are flags of the server. */
export function startMariadb(extra: readonly string[] = []): Promise<MysqlServer> {
  if (server === undefined || install === undefined) throw new Error(NO_MARIADB)
  const runAs = process.getuid?.() === 0 ? accountOf('mysql') : undefined
  const asUser = runAs === undefined ? [] : ['--user=mysql']
  const recipe: Recipe = {
    program: server,
    runAs,
    prepare: (folder) =>
      runToEnd(install, [
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        ...asUser,
      ]),
    // A server that starts deletes what it takes for the leftovers of an earlier one: temporary tables of its neighbour.
    flags: (folder) => [`--tmpdir=${folder}`],
  }
  return MysqlServer.start(recipe, extra)
}

export function accountOf(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
