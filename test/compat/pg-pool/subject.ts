import { Socket } from 'node:net'
import OriginalPool from 'pg-pool'
import { expect } from 'vitest'
import Pool, { type PgPoolOptions } from '../../../src/compat/pg-pool/index.ts'
import type { Comparison } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'

type PoolClass = typeof Pool

const server = await startPostgres()
let subjects = 0

/** How long something is waited for that is to come. */
const PATIENCE_MS = 20_000

/** One of the two, with connections that bear its name. */
class Subject {
  readonly Pool: PoolClass
  readonly url = server.url()
  readonly #name = `subject ${++subjects}`
  readonly #made: { end(): Promise<void>; ending: boolean }[] = []
  readonly #sockets: Socket[] = []
  /** For how long what may never come is waited for: not for long where it is known that it never does. */
  readonly patienceMs: number

  constructor(made: PoolClass, patienceMs: number) {
    this.Pool = made
    this.patienceMs = patienceMs
  }

  pool<P extends Pool = Pool>(options: PgPoolOptions = {}, Class?: new (options: PgPoolOptions) => P): P {
    const stream = () => {
      const socket = new Socket()
      this.#sockets.push(socket)
      return socket
    }
    const own = { connectionString: this.url, application_name: this.#name, stream }
    const made = (Class ?? this.Pool) as new (options: PgPoolOptions) => P
    const pool = new made({ ...own, ...options })
    this.#made.push(pool)
    return pool
  }

  /** Until the server runs a statement of its pools. */
  async runs(): Promise<void> {
    const busy = `select 1 from pg_stat_activity where application_name = $1 and state = 'active'`
    await eventually(async () => expect(await ask(server, busy, [this.#name])).toHaveLength(1))
  }

  /** Kills the backends of its pools, and sees their connections die. */
  async kill(): Promise<void> {
    const all = 'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1'
    await ask(server, all, [this.#name])
    await until(() => this.#sockets.every((socket) => socket.destroyed))
  }

  /** The ends are not waited for: some of what is tried here never ends, and crashes when the server goes. */
  async end(): Promise<void> {
    await crashes(async () => {
      for (const pool of this.#made) if (!pool.ending) pool.end().catch(() => undefined)
      await this.kill()
    })
  }
}

export const sides = {
  original: 'pg-pool 3.14',
  theirs: async () => new Subject(OriginalPool as unknown as PoolClass, 1_500),
  ours: async () => new Subject(Pool, PATIENCE_MS),
}

export type Behaviour = Comparison<Subject>

/** A behaviour that leaves its pools to be ended. */
export function behaviours(list: readonly Behaviour[]): Behaviour[] {
  return list.map((behaviour) => ({
    ...behaviour,
    async run(subject) {
      try {
        return await behaviour.run(subject)
      } finally {
        await subject.end()
      }
    },
  }))
}

export async function within<T>(promise: Promise<T>, ms = PATIENCE_MS): Promise<T | 'waits for ever'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'waits for ever'>((resolve) => {
    timer = setTimeout(() => resolve('waits for ever'), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What it rejects with, in a few words. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'succeeds'
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return /^[0-9A-Z]{5}$|^E[A-Z]+$/.test(code ?? '') ? `fails with ${code}` : `fails: ${message}`
  }
}

/** What would have ended the process while this ran, and a while after. */
export async function crashes(work: () => Promise<unknown>): Promise<string[]> {
  const crashed: string[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => crashed.push(error.message))
  const rejections = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', () => undefined)
  try {
    await work()
    await pause(50)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
    process.removeAllListeners('unhandledRejection')
    for (const listener of rejections) process.on('unhandledRejection', listener)
  }
  return crashed
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Until this is so, and at most for a while. */
export async function until(isSo: () => boolean, ms = PATIENCE_MS): Promise<boolean> {
  const deadline = performance.now() + ms
  while (!isSo() && performance.now() < deadline) await pause(5)
  return isSo()
}
