import { spawn } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { guard } from './caretaker.ts'
import { postgresBinaries, type ServerUser, serverUser } from './postgres-binaries.ts'

export interface EmbeddedPostgresOptions {
  /** The superuser. Default `postgres`. */
  user?: string
  /** Asked for by every login (SCRAM). Without it everybody is let in. */
  password?: string
  /** Default: a free one. */
  port?: number
  maxConnections?: number
  /** Further settings of the server, e.g. `{ idle_session_timeout: '1s' }`. */
  settings?: Record<string, string | number | boolean>
  /** Offers TLS; the texts of PEM files. */
  tls?: { cert: string; key: string; ca?: string }
  /** Listens on a unix socket as well: see `socketFolder`. */
  unixSocket?: boolean
  /** Lines of pg_hba.conf that come before the rule for everybody. */
  hba?: readonly string[]
}

/** A server's files, and how to run it. */
export interface Cluster {
  readonly folder: string
  readonly binaries: string
  readonly user: string
  readonly password: string | undefined
  readonly processUser: ServerUser
  readonly socketFolder: string | undefined
  flags(port: number): string[]
  /** Deletes all of it. */
  remove(): void
}

export async function createCluster(options: EmbeddedPostgresOptions): Promise<Cluster> {
  const { user = 'postgres', password } = options
  const processUser = serverUser()
  const folder = createFolder(processUser)
  const guarded = guard(folder)
  const remove = () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
    guarded.dismiss()
  }
  try {
    const binaries = postgresBinaries(folder, processUser)
    const put = (name: string, text: string) => writeOwned(join(folder, name), text, processUser)
    const args = [
      '-D',
      join(folder, 'data'),
      '-U',
      user,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ]
    if (password !== undefined) args.push(`--pwfile=${put('password', `${password}\n`)}`)
    await runInitdb(join(binaries, 'bin/initdb'), args, { ...processUser, cwd: folder })
    rmSync(join(folder, 'password'), { force: true })
    const method = password === undefined ? 'trust' : 'scram-sha-256'
    const rules = [`local all,replication all ${method}`, `host all,replication all all ${method}`]
    put('data/pg_hba.conf', `${[...(options.hba ?? []), ...rules].join('\n')}\n`)
    if (options.tls !== undefined) {
      put('server.crt', options.tls.cert)
      put('server.key', options.tls.key)
      if (options.tls.ca !== undefined) put('root.crt', options.tls.ca)
    }
    const socketFolder = options.unixSocket === true ? join(folder, 'socket') : undefined
    if (socketFolder !== undefined) createOwned(socketFolder, processUser)
    const flags = (port: number) => flagsOf(options, { folder, socketFolder, port })
    return { folder, binaries, user, password, processUser, socketFolder, flags, remove }
  } catch (error) {
    remove()
    throw error
  }
}

function flagsOf(
  { maxConnections = 100, settings = {}, tls }: EmbeddedPostgresOptions,
  { folder, socketFolder, port }: { folder: string; socketFolder: string | undefined; port: number },
): string[] {
  const all: Record<string, string | number | boolean> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: socketFolder ?? '',
    max_connections: maxConnections,
    // The data live as long as the test.
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    ...(tls && {
      ssl: 'on',
      ssl_cert_file: join(folder, 'server.crt'),
      ssl_key_file: join(folder, 'server.key'),
    }),
    ...(tls?.ca !== undefined && { ssl_ca_file: join(folder, 'root.crt') }),
    ...settings,
  }
  return [
    '-D',
    join(folder, 'data'),
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}

/** The server's user must get there: a temporary folder of root's own will not do. */
function createFolder(user: ServerUser): string {
  const places = user.uid === undefined ? [tmpdir()] : [tmpdir(), '/tmp', '/var/tmp'].filter(isOpenToAll)
  const folder = mkdtempSync(join(places[0] ?? tmpdir(), 'rockpool-pg-'))
  own(folder, user)
  return folder
}

function isOpenToAll(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o001) !== 0
  return isOpen && (dirname(folder) === folder || isOpenToAll(dirname(folder)))
}

function createOwned(folder: string, user: ServerUser): void {
  mkdirSync(folder)
  own(folder, user)
}

function writeOwned(file: string, text: string, user: ServerUser): string {
  writeFileSync(file, text, { mode: 0o600 })
  own(file, user)
  return file
}

function own(path: string, { uid, gid }: ServerUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

function runInitdb(command: string, args: string[], options: ServerUser & { cwd: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, LC_ALL: 'C' }
    const child = spawn(command, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`initdb failed:\n${output}`))))
  })
}
