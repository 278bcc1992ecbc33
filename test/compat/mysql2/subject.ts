import type { EventEmitter } from 'node:events'
import type * as callbacks from 'mysql2'
import type * as promises from 'mysql2/promise'
import type { MysqlServer, Overseer } from '../../support/mysql-server.ts'

/** One of the two packages, and a server to try it on. */
export interface Subject {
  readonly mysql: typeof callbacks
  readonly promise: typeof promises
  readonly server: MysqlServer
  readonly overseer: Overseer
  /** For how long what may never come is waited for: not for long where it is known that it never does. */
  readonly patienceMs: number
  /** Options of rockpool's own, where it is rockpool. */
  readonly rockpool: (options: object) => object
}

type Work = (pool: promises.Pool, callbackPool: callbacks.Pool) => Promise<string>

/** Tries something on a pool, which is ended afterwards; that is not waited for to the end, because an original may hang. */
export async function onPool(subject: Subject, options: object, work: Work): Promise<string> {
  const pool = subject.mysql.createPool({ uri: subject.server.url(), ...options })
  try {
    return await work(pool.promise(), pool)
  } finally {
    await within(
      1_000,
      pool
        .promise()
        .end()
        .catch(() => undefined),
    )
  }
}

export const HANGS = 'waits for ever'

/** What comes of it, or that nothing does. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | typeof HANGS> {
  let timer: NodeJS.Timeout | undefined
  promise.catch(() => undefined)
  const late = new Promise<typeof HANGS>((resolve) => {
    timer = setTimeout(() => resolve(HANGS), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What an operation came to, in a few words. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    return show(await promise)
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string }
    return `${code ?? name}: ${message.replace(/'\d+\.\d+\.\d+\.\d+'|\d+\.\d+\.\d+\.\d+:\d+/g, 'HOST')}`
  }
}

export function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}

export async function rowsOf(asked: Promise<[unknown, unknown]>): Promise<string> {
  return show((await asked)[0])
}

/** Writes down the names of the events that come. */
export function hear(pool: EventEmitter, names: readonly string[], heard: string[]): void {
  for (const name of names) pool.on(name, () => heard.push(name))
}
