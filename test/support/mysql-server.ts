import { type ChildProcess, spawn } from 'node:child_process'
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql from 'mysql2/promise'

const START_LIMIT_MS = 60_000

/** How a kind of server is set up and started. */
export interface Recipe {
  readonly program: string
  /** Without root the server runs as whoever runs the tests. */
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Fills `data` of this folder. */
  prepare(folder: string): Promise<void>
  flags(folder: string): readonly string[]
}

// The same at every start, so it must not mind that it has run before.
const ACCOUNTS = [
  'create database if not exists app;',
  'create database if not exists elsewhere;',
  "grant all on *.* to admin@'%' identified by 'Adm1n' with grant option;",
  "grant all on app.* to app@'%' identified by 'S3cret#';",
  "grant all on elsewhere.* to app@'%';",
  "grant usage on *.* to few@'%' identified by 'S3cret#' with max_user_connections 3;",
  "grant all on app.* to few@'%';",
].join('\n')

/**
 * A server for tests, in a temporary folder on a free port, which does not care for the safety of its data. `app` is an
 * ordinary user, `few` may have three connections.
 */
export class MysqlServer {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly folder: string
  readonly socket: string
  readonly #recipe: Recipe
  readonly #extra: readonly string[]
  #running: { child: ChildProcess; ended: Promise<void> } | undefined

  static async start(recipe: Recipe, extra: readonly string[] = []): Promise<MysqlServer> {
    const folder = mkdtempSync(join(tmpdir(), 'rockpool-mysql-'))
    try {
      if (recipe.runAs !== undefined) chownSync(folder, recipe.runAs.uid, recipe.runAs.gid)
      writeFileSync(join(folder, 'accounts.sql'), ACCOUNTS)
      await recipe.prepare(folder)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
    // At the last moment: until the server has it, the port is anybody's.
    const server = new MysqlServer(recipe, { folder, port: await freePort(), extra })
    try {
      await server.resume()
      return server
    } catch (error) {
      await server.close()
      throw error
    }
  }

  private constructor(recipe: Recipe, place: { folder: string; port: number; extra: readonly string[] }) {
    this.#recipe = recipe
    this.#extra = place.extra
    this.folder = place.folder
    this.port = place.port
    this.socket = join(place.folder, 'socket')
  }

  url({ scheme = 'mysql', user = 'app:S3cret%23', database = 'app' } = {}): string {
    return `${scheme}://${user}@${this.host}:${this.port}/${database}`
  }

  /** Starts a stopped server again, on the same port and with the same data. */
  async resume(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a')
    const child = spawn(this.#recipe.program, this.#flags(), {
      ...this.#recipe.runAs,
      cwd: this.folder,
      env: { PATH: process.env.PATH, LC_ALL: 'C', ...this.#recipe.env },
      detached: true, // Ctrl-C is for the test run; it ends its servers itself
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
    process.once('exit', () => child.kill('SIGKILL'))
    await this.#ready()
  }

  /** Ends the server and keeps its data. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.child.ref()
    running.child.kill(signal)
    await running.ended
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** What the administrator is told. */
  async ask<R = Record<string, unknown>>(sql: string): Promise<R[]> {
    const connection = await mysql.createConnection({ host: this.host, port: this.port, ...ADMIN })
    try {
      const [rows] = await connection.query(sql)
      return rows as R[]
    } finally {
      await connection.end()
    }
  }

  #flags(): string[] {
    const { folder, port, socket } = this
    return [
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      `--port=${port}`,
      `--socket=${socket}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--init-file=${join(folder, 'accounts.sql')}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-lock-wait-timeout=5',
      ...this.#recipe.flags(folder),
      ...this.#extra,
    ]
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS
    while (this.#running !== undefined && performance.now() < deadline) {
      try {
        await this.ask('select 1')
        return
      } catch {
        await sleep(20)
      }
    }
    const log = readFileSync(join(this.folder, 'log'), 'utf8').split('\n').slice(-12).join('\n')
    throw new Error(`${this.#recipe.program} did not start:\n${log}`)
  }
}

const ADMIN = { user: 'admin', password: 'Adm1n' }

/** Counts and ends sessions by a connection that is always there. */
export class Overseer {
  readonly #connection: mysql.Connection

  static async of(server: MysqlServer): Promise<Overseer> {
    const connection = await mysql.createConnection({ host: server.host, port: server.port, ...ADMIN })
    connection.on('error', () => undefined)
    return new Overseer(connection)
  }

  private constructor(connection: mysql.Connection) {
    this.#connection = connection
  }

  async ask<R = Record<string, unknown>>(sql: string): Promise<R[]> {
    const [rows] = await this.#connection.query(sql)
    return rows as R[]
  }

  async sessions(): Promise<number> {
    const [row] = await this.ask<{ n: number }>(
      "select count(*) as n from information_schema.processlist where user in ('app', 'few')",
    )
    return Number(row?.n)
  }

  async kill(id: unknown): Promise<void> {
    await this.ask(`kill ${Number(id)}`)
  }

  close(): Promise<void> {
    return this.#connection.end()
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

/** Runs a program to its end. @throws what it has printed, when it fails */
export async function runToEnd(
  program: string,
  args: readonly string[],
  options: object = {},
): Promise<void> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output.slice(-2_000)}`)
}
