import type { Client as PgClient } from 'pg'
import pgModule from 'pg'
import { expect, onTestFinished, type TestContext } from 'vitest'
import { pg } from '../../src/drivers/pg/index.ts'
import { createPool, type PoolOptions, type SqlDriver, type SqlPool } from '../../src/index.ts'
import type { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'

/** `npm run chaos`: long outages, and figures that depend on the speed of the machine. */
export const whole = process.env.ROCKPOOL_CHAOS === 'whole'

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Figures of a test, for the report of `npm run chaos`. */
export function figures({ task }: TestContext, found: Record<string, number | string>): void {
  const meta = task.meta as { figures?: string }
  const line = Object.entries(found).map(([name, value]) => `${name} ${round(value)}`)
  meta.figures = [meta.figures, ...line].filter((part) => part !== undefined).join(', ')
}

function round(value: number | string): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : value
}

/** A pool that is closed at the end of the test. Its users' deadlines are longer than what befalls the server. */
export function openPool(target: string | SqlDriver<PgClient>, options: PoolOptions = {}): SqlPool {
  const given = { acquireTimeoutMs: 60_000, ...options }
  const pool: SqlPool = typeof target === 'string' ? createPool(target, given) : createPool(target, given)
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  return pool
}

/** What became of the statements that a driver was given. */
export interface Flight {
  /** Statements that were in flight on connections when these were lost: so many may fail, and no more. */
  lost: number
  /** Most that were in flight at a time. */
  most: number
}

/** The driver for PostgreSQL, which counts the statements that are in flight. */
export function countingDriver(url: string): { driver: SqlDriver<PgClient>; flight: Flight } {
  const plain = pg<PgClient>(url)
  const flight = { lost: 0, most: 0 }
  const inFlight = new Map<PgClient, number>()
  let now = 0
  const count = (client: PgClient, by: number) => {
    inFlight.set(client, (inFlight.get(client) ?? 0) + by)
    now += by
    flight.most = Math.max(flight.most, now)
  }
  const driver: SqlDriver<PgClient> = {
    ...plain,
    async query(client, ...rest) {
      count(client, 1)
      try {
        return await plain.query(client, ...rest)
      } finally {
        count(client, -1)
      }
    },
    onLost: (client, lost) =>
      plain.onLost?.(client, (error) => {
        flight.lost += inFlight.get(client) ?? 0
        lost(error)
      }),
  }
  return { driver, flight }
}

const BUCKET_MS = 10

/** Tasks that do the same again and again, with a record of when it succeeded and what failed. */
export class Load {
  readonly failures: { at: number; error: unknown }[] = []
  readonly #work: () => Promise<unknown>
  readonly #successes: number[] = []
  readonly #since = performance.now()
  #tasks: Promise<void>[] = []
  #isOn = true

  constructor(work: () => Promise<unknown>, tasks = 40) {
    this.#work = work
    this.#tasks = Array.from({ length: tasks }, () => this.#task())
    onTestFinished(() => this.stop())
  }

  get errors(): unknown[] {
    return this.failures.map(({ error }) => error)
  }

  /** The codes of all failures, each once. */
  get codes(): string[] {
    const codes = this.errors.map((error) => String((error as { code?: unknown }).code ?? error))
    return [...new Set(codes)].sort()
  }

  get successes(): number {
    return this.#successes.reduce((sum, count) => sum + (count ?? 0), 0)
  }

  /** Successes a second. */
  rate(from: number, to: number): number {
    const [first, last] = [this.#bucket(from), this.#bucket(to)]
    let count = 0
    for (let at = first; at < last; at++) count += this.#successes[at] ?? 0
    return (count / (last - first) / BUCKET_MS) * 1000
  }

  /**
   * How long after `since` the throughput is at 90 % again, for 100 ms. Of what it was, or of what this machine has come
   * to give: it may have got other things to do.
   */
  recoveryMs(since: number, normal: number): number {
    const now = performance.now()
    const later: number[] = []
    for (let at = since + 300; at < now - 100; at += 50) later.push(this.rate(at, at + 100))
    later.sort((a, b) => a - b)
    const target = 0.9 * Math.min(normal, later[later.length >> 1] ?? normal)
    for (let at = since; at < now - 100; at += BUCKET_MS) {
      if (this.rate(at, at + 100) >= target) return at - since
    }
    return Number.POSITIVE_INFINITY
  }

  /** Waits for successes after this moment. */
  async flowsAgain(limitMs = 30_000): Promise<void> {
    const before = this.successes
    const deadline = performance.now() + limitMs
    while (this.successes - before < 20) {
      if (performance.now() > deadline) throw new Error(`nothing succeeds within ${limitMs} ms`)
      await pause(5)
    }
  }

  async stop(): Promise<void> {
    this.#isOn = false
    await Promise.all(this.#tasks)
  }

  async #task(): Promise<void> {
    while (this.#isOn) {
      try {
        await this.#work()
        const at = this.#bucket(performance.now())
        this.#successes[at] = (this.#successes[at] ?? 0) + 1
      } catch (error) {
        this.failures.push({ at: performance.now(), error })
        await pause(1)
      }
    }
  }

  #bucket(at: number): number {
    return Math.floor((at - this.#since) / BUCKET_MS)
  }
}

/** Counts the pool's sessions as the server does, all the time. */
export class Census {
  most = 0
  looks = 0
  readonly #server: EmbeddedPostgres
  readonly #ours: string
  #isOn = true

  /** @param ours what tells the pool's sessions from others, in pg_stat_activity */
  constructor(server: EmbeddedPostgres, ours = "application_name = 'rockpool'") {
    this.#server = server
    this.#ours = ours
    const counting = this.#run()
    // Its connection is gone before the next test counts on a place.
    onTestFinished(() => {
      this.#isOn = false
      return counting
    })
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      const client = new pgModule.Client({ connectionString: this.#server.url(), application_name: 'census' })
      client.on('error', () => {})
      try {
        await client.connect()
        while (this.#isOn) {
          const { rows } = await client.query(
            `select count(*)::int as n from pg_stat_activity where ${this.#ours}`,
          )
          this.most = Math.max(this.most, rows[0].n)
          this.looks++
          await pause(15)
        }
      } catch {
        await pause(50) // the server is down
      }
      await client.end().catch(() => {})
    }
  }
}

/** From now on an error that nobody catches fails the test. */
export function nothingUncaught(): void {
  const uncaught: unknown[] = []
  const note = (error: unknown) => uncaught.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  onTestFinished(() => {
    process.off('uncaughtException', note).off('unhandledRejection', note)
    expect(uncaught).toEqual([])
  })
}
