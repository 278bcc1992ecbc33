import { type ChildProcess, spawn } from 'node:child_process'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { PoolOptions } from '../../src/contract/options.ts'
import { createPool } from '../../src/create-pool.ts'
import type { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { type ServerUser, serverUser } from '../../src/testing/postgres-binaries.ts'

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const START_LIMIT_MS = 60_000

const PACKAGES = { pgbouncer: 'pgbouncer', pgpool: 'pgpool2', haproxy: 'haproxy' } as const

type Program = keyof typeof PACKAGES

function find(program: Program): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** Why tests that need this program cannot run here, or undefined. */
export function missing(program: Program): string | undefined {
  if (process.platform === 'win32') return `${program} does not run on Windows`
  if (find(program) !== undefined) return undefined
  return `${program} is not installed (Debian: apt-get install ${PACKAGES[program]})`
}

type Settings = Readonly<Record<string, string | number>>

const lines = (settings: Settings, write: (name: string, value: string | number) => string) =>
  Object.entries(settings)
    .map(([name, value]) => write(name, value))
    .join('\n')

/** PgBouncer, whose two ways to lend are called as our option `pooler` calls them. */
export function startPgBouncer(
  server: EmbeddedPostgres,
  mode: 'transaction' | 'session',
  settings: Settings = {},
): Promise<Pooler> {
  return Pooler.start(server, 'pgbouncer', (folder, port) => {
    const file = join(folder, 'pgbouncer.ini')
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'any',
      admin_users: 'postgres',
      pool_mode: mode,
      default_pool_size: 5,
      max_client_conn: 200,
      ...settings,
    }
    const text = `[databases]
* = host=${server.host} port=${server.port} user=${server.user}
[pgbouncer]
${lines(all, (name, value) => `${name} = ${value}`)}
`
    return { files: { 'pgbouncer.ini': text }, args: [file] }
  })
}

/** pgpool-II in front of one server: it keeps sessions, and checks what passes through it. */
export function startPgpool(server: EmbeddedPostgres, settings: Settings = {}): Promise<Pooler> {
  return Pooler.start(server, 'pgpool', async (folder, port) => {
    const file = join(folder, 'pgpool.conf')
    const all = {
      backend_clustering_mode: 'raw',
      listen_addresses: '127.0.0.1',
      port,
      socket_dir: folder,
      pcp_listen_addresses: '127.0.0.1',
      pcp_port: await freePort(),
      pcp_socket_dir: folder,
      backend_hostname0: server.host,
      backend_port0: server.port,
      num_init_children: 20,
      pid_file_name: join(folder, 'pgpool.pid'),
      logdir: folder,
      ...settings,
    }
    const text = lines(all, (name, value) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`)
    const files = { 'pgpool.conf': text, 'pcp.conf': '', pool_passwd: '' }
    return { files, args: ['-n', '-f', file, '-F', join(folder, 'pcp.conf')] }
  })
}

/** HAProxy, which hands bytes on and closes what is silent for `idleMs`. */
export function startHaproxy(server: EmbeddedPostgres, idleMs: number): Promise<Pooler> {
  return Pooler.start(server, 'haproxy', (folder, port) => {
    const text = `defaults
  mode tcp
  timeout connect 20s
  timeout client ${idleMs}ms
  timeout server ${idleMs}ms
listen postgres
  bind 127.0.0.1:${port}
  server only ${server.host}:${server.port}
`
    return { files: { 'haproxy.cfg': text }, args: ['-db', '-f', join(folder, 'haproxy.cfg')] }
  })
}

interface Plan {
  readonly files: Readonly<Record<string, string>>
  readonly args: readonly string[]
}

// First as it likes, so that it gives its shared memory back; then all that it has started.
const END = `
  kill -INT "$1" 2>/dev/null
  n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.02; n=$((n+1)); done
  kill -KILL -"$1" 2>/dev/null
  rm -rf "$2"
`

/** A program between a pool and a server, in a temporary folder on a free port; it ends with the test. */
export class Pooler {
  readonly port: number
  readonly folder: string
  readonly #server: EmbeddedPostgres
  #running: { child: ChildProcess; ended: Promise<void>; watcher: ChildProcess } | undefined
  #closing: Promise<void> | undefined

  static async start(
    server: EmbeddedPostgres,
    program: Program,
    planOf: (folder: string, port: number) => Plan | Promise<Plan>,
  ): Promise<Pooler> {
    const path = find(program)
    if (path === undefined) throw new Error(missing(program))
    const folder = mkdtempSync(join(tmpdir(), `rockpool-${program}-`))
    const pooler = new Pooler(server, folder, await freePort())
    onTestFinished(() => pooler.close())
    const user = serverUser()
    give(folder, user)
    const { files, args } = await planOf(folder, pooler.port)
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text)
      give(join(folder, name), user)
    }
    await pooler.#run(path, args, user)
    return pooler
  }

  private constructor(server: EmbeddedPostgres, folder: string, port: number) {
    this.#server = server
    this.folder = folder
    this.port = port
  }

  /** The server's URL, by way of this program. */
  url(database = 'postgres'): string {
    return this.#server.url(database).replace(`:${this.#server.port}/`, `:${this.port}/`)
  }

  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8')
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const running = this.#running
    if (running === undefined) return rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    running.watcher.ref()
    const over = new Promise((resolve) => running.watcher.once('close', resolve))
    running.watcher.stdin?.end()
    await Promise.all([over, running.ended])
  }

  async #run(path: string, args: readonly string[], user: ServerUser): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a')
    const child = spawn(path, args, {
      ...user,
      cwd: this.folder,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      detached: true, // a group of its own, to be ended as a whole
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    const ended = new Promise<void>((resolve) =>
      child.once('error', () => resolve()).once('exit', () => resolve()),
    )
    let isOver = false
    void ended.then(() => {
      isOver = true
    })
    // Waits for the end of its input, which comes with the end of this process, however that ends.
    const watcher = spawn('/bin/sh', ['-c', `cat >/dev/null; ${END}`, 'sh', String(child.pid), this.folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    watcher.unref()
    ;(watcher.stdin as unknown as Socket).unref()
    this.#running = { child, ended, watcher }
    const deadline = performance.now() + START_LIMIT_MS
    while (!isOver && performance.now() < deadline) {
      if (await accepts(this.port)) return
      await sleep(10)
    }
    throw new Error(`${path} did not start:\n${this.log().slice(-2_000)}`)
  }
}

function give(path: string, { uid, gid }: ServerUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}

/** A pool that ends with the test, and what its `error` event has told. */
export function poolBehind(pooler: Pooler, options: PoolOptions) {
  const pool = createPool(pooler.url(), options)
  const told: unknown[] = []
  pool.on('error', ({ error }) => told.push(error))
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  return { pool, told }
}
