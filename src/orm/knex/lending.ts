import { promisify } from 'node:util'
import type { Knex } from 'knex'
import { dispose } from '../../contract/dispose.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlLease, SqlPool } from '../../contract/sql.ts'
import type { KnexClient, KnexPool, Marked } from './client.ts'

/** Which lease each connection that Knex holds belongs to. */
const leases = new WeakMap<object, SqlLease<unknown>>()

/** @throws TypeError for a connection that Knex does not hold */
export function leaseOf(connection: object): SqlLease<unknown> {
  const lease = leases.get(connection)
  if (lease === undefined) throw new TypeError('this connection has been released')
  return lease
}

/** The lease that this connection belongs to now, if Knex holds it. */
export function heldLease(connection: object): SqlLease<unknown> | undefined {
  return leases.get(connection)
}

/** Milliseconds that `knex.destroy()` waits for what is lent. */
const LEAVES_WITHIN_MS = 10_000

/** How a pool's connections become what a dialect of Knex takes. */
export interface Presentation {
  /** @throws InvalidOptionError where Knex cannot use it */
  show(lease: SqlLease<unknown>): Marked
  /** Asks for the name of the database; undefined where there is none. */
  readonly database: string | undefined
}

/** What Knex takes for its pool: lends the pool's connections as they are, made ready as Knex's own would be. */
export class Lending implements KnexPool {
  readonly #pool: SqlPool<unknown>
  readonly #client: KnexClient
  readonly #presentation: Presentation
  readonly #hooks: Pick<Knex.PoolConfig, 'afterCreate' | 'validate'>
  /** Connections that Knex holds now. */
  readonly #held = new Set<object>()
  #isLeaving = false
  #gone: () => void = () => undefined
  /** Connections that Knex has had before. */
  readonly #known = new WeakSet<object>()

  constructor(pool: SqlPool<unknown>, client: KnexClient, presentation: Presentation) {
    this.#pool = pool
    this.#client = client
    this.#presentation = presentation
    this.#hooks = client.config.pool ?? {}
  }

  /** Nothing must be done to a connection before it is used: a statement may go to whichever is there. */
  get needsNothing(): boolean {
    const { afterCreate, validate } = this.#hooks
    return afterCreate === undefined && validate === undefined && this.#client.searchPath === undefined
  }

  acquire(): { promise: Promise<object> } {
    return { promise: this.#lend() }
  }

  /** False: Knex does not hold it. */
  release(connection: object): boolean {
    const lease = leases.get(connection)
    if (lease === undefined) return false
    this.#drop(connection)
    const { __knex__disposed: disposed } = connection as Marked
    if (disposed === undefined) lease[dispose]()
    else lease.destroy(disposed)
    return true
  }

  async destroy(): Promise<void> {
    await this.#pool.close()
  }

  /** Lends nothing more, and waits for what is lent: what runs may finish, and what somebody has forgotten is not waited for. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    if (this.#held.size === 0) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#gone = resolve
      timer = setTimeout(resolve, LEAVES_WITHIN_MS)
    })
    clearTimeout(timer)
  }

  #drop(connection: object): void {
    leases.delete(connection)
    this.#held.delete(connection)
    if (this.#held.size === 0) this.#gone()
  }

  numUsed(): number {
    return this.#pool.stats().leased
  }

  numFree(): number {
    return this.#pool.stats().idle
  }

  numPendingAcquires(): number {
    return this.#pool.stats().waiting
  }

  numPendingCreates(): number {
    return this.#pool.stats().connecting
  }

  async #lend(): Promise<object> {
    // In the words of Knex.
    if (this.#isLeaving) throw new Error('Unable to acquire a connection')
    const { acquireConnectionTimeout: timeoutMs } = this.#client.config
    const limits = timeoutMs === undefined ? {} : { timeoutMs }
    for (;;) {
      const lease = this.#pool.tryAcquire() ?? (await this.#pool.acquire(limits))
      try {
        const connection = this.#presentation.show(lease)
        leases.set(connection, lease)
        await this.#makeReady(connection, lease)
        this.#held.add(connection)
        if (this.#hooks.validate === undefined || (await this.#isValid(connection))) return connection
        this.#drop(connection)
        lease.destroy(new Error('the "validate" of Knex has refused the connection'))
      } catch (error) {
        lease.destroy(error)
        throw error
      }
    }
  }

  async #makeReady(connection: Marked, lease: SqlLease<unknown>): Promise<void> {
    const client = this.#client
    const native = lease.connection as object
    if (client.searchPath !== undefined) await client.setSchemaSearchPath?.(connection)
    if (this.#known.has(native)) return
    connection.__knexUid ??= `__knexUid${++lastUid}`
    if (!client.version) client.version = (await client.checkVersion?.(connection)) ?? client.version
    await this.#askDatabase(lease)
    const { afterCreate } = this.#hooks
    if (afterCreate !== undefined) await promisify(afterCreate)(connection)
    this.#known.add(native)
  }

  /** Some of what Knex writes for schemas names the database. */
  async #askDatabase(lease: SqlLease<unknown>): Promise<void> {
    const { connectionSettings: settings } = this.#client
    const { database } = this.#presentation
    if (database === undefined || settings.database !== undefined) return
    const { rows } = await lease.query(database)
    settings.database = rows[0]?.name
  }

  async #isValid(connection: object): Promise<boolean> {
    const { validate } = this.#hooks
    if (validate === undefined) return true
    try {
      return Boolean(await validate(connection))
    } catch (error) {
      this.#client.logger.warn(`Pool validate threw an error: ${(error as Error).message}`)
      return false
    }
  }
}

let lastUid = 0

const ONLY_HOOKS = ['afterCreate', 'validate']

/** @throws InvalidOptionError for what the pool itself decides */
export function assertPoolConfig(pool: Knex.PoolConfig | undefined): void {
  const other = Object.keys(pool ?? {}).find((name) => !ONLY_HOOKS.includes(name))
  if (other === undefined) return
  throw new InvalidOptionError(
    `pool.${other}`,
    `"pool.${other}" of Knex's config has no effect: it is an option of the pool, given to createPool`,
  )
}
