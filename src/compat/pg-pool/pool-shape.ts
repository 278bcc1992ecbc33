import { EventEmitter } from 'node:events'
import type { Lease } from '../../contract/lease.ts'
import type { Pool } from '../../contract/pool.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { Roster } from '../roster.ts'
import { Checkout, type Held } from './checkout.ts'
import { Departure } from './departure.ts'
import { ENDED, ENDED_TWICE, FUNCTION_FIRST } from './errors.ts'
import type { Footing } from './footing.ts'
import { KnownClients } from './known-clients.ts'
import { promised } from './promised.ts'
import {
  type Asked,
  apart,
  type Done,
  failReader,
  isReader,
  type Reader,
  readOn,
  runOn,
  runOnNext,
} from './statement.ts'
import type {
  AnyRow,
  ArrayConfig,
  ClientClass,
  ConnectCallback,
  PgPoolClient,
  PgQueryResult,
  QueryCallback,
  QueryText,
  ShownOptions,
  Submittable,
  Values,
} from './types.ts'

const nothing = () => undefined

/** `pg.Pool`, with a pool of ours behind it; `T` is what its clients are beyond those of `pg`. */
export class PgPoolShape<T = unknown> extends EventEmitter {
  options: ShownOptions
  readonly Promise: PromiseConstructorLike
  log: (...messages: unknown[]) => void
  /** `end` has been called. */
  ending = false
  /** All is over. */
  ended = false
  readonly #footing: Footing
  readonly #clients: KnownClients
  readonly #checkouts = new Roster<Checkout>()
  /** Statements of `query` that run. */
  #running = 0
  #waiting = 0
  #departure: Departure | undefined = undefined

  /** Also where the user's own `pg.Pool` stands among its ancestors instead. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true
    return this === PgPoolShape && typeof value === 'object' && value !== null && #footing in value
  }

  constructor(footing: Footing) {
    super()
    const { options } = footing
    this.options = options
    this.Promise = options.Promise ?? Promise
    this.log = options.log ?? nothing
    this.#footing = footing
    this.#clients = new KnownClients({
      first: (client) => this.#tell('connect', client),
      diedIdle: (error, client) => {
        this.log('an idle client has died', error)
        this.#tell('error', Object.assign(error, { client }), client)
      },
      ended: (client) => this.#tell('remove', client),
    })
  }

  /** The class of the clients. */
  get Client(): ClientClass<T & PgPoolClient> {
    return this.#footing.Client() as ClientClass<T & PgPoolClient>
  }

  /** The pool behind this one. */
  get pool(): Pool<PgClient> {
    return this.#footing.pool
  }

  /** Connections that are there or coming. */
  get totalCount(): number {
    const { total, closing } = this.pool.stats()
    return total - closing
  }

  get idleCount(): number {
    return this.pool.stats().idle
  }

  /** Callers that wait for a connection to come back. */
  get waitingCount(): number {
    const { waiting, connecting } = this.pool.stats()
    return Math.max(0, waiting - connecting)
  }

  /** Connections past their lifetime that are still checked out. */
  get expiredCount(): number {
    const limitMs = this.options.maxLifetimeSeconds * 1_000
    if (limitMs === 0) return 0
    const now = performance.now()
    return [...this.#checkouts].filter(({ known }) => now - known.since >= limitMs).length
  }

  /** Borrows a client: give it back by `client.release()`. */
  connect(): Promise<T & PgPoolClient>
  connect(callback: ConnectCallback<T & PgPoolClient>): void
  connect(callback?: ConnectCallback<T & PgPoolClient>): Promise<T & PgPoolClient> | undefined {
    if (callback === undefined) return promised(this.Promise, (done) => this.#connect(done))
    // What a callback throws is its program's own, and no rejection of ours.
    this.#connect((error, client, release) => process.nextTick(callback, error, client, release))
    return undefined
  }

  /** Runs one statement on whichever client is free. */
  query<T extends Submittable>(submittable: T): T
  query<R extends unknown[] = AnyRow[], V extends Values = Values>(
    c: ArrayConfig<V>,
    v?: V,
  ): Promise<PgQueryResult<R>>
  query<R = AnyRow, V extends Values = Values>(text: QueryText<V>, values?: V): Promise<PgQueryResult<R>>
  query<R = AnyRow>(text: QueryText, callback: QueryCallback<R>): void
  query<R = AnyRow, V extends Values = Values>(
    text: QueryText<V>,
    values: V | undefined,
    callback: QueryCallback<R>,
  ): void
  query(text: unknown, values?: unknown, callback?: unknown): unknown {
    if (isReader(text)) return this.#read(text)
    if (typeof text === 'function')
      return void setImmediate(text as (error: Error) => void, new Error(FUNCTION_FIRST))
    const done = typeof values === 'function' ? values : callback
    const asked = { text, values: typeof values === 'function' ? undefined : values }
    if (typeof done === 'function') return this.#query(asked, apart(done as Done))
    return promised(this.Promise, (settle) => this.#query(asked, settle))
  }

  /** Waits for all clients to come back, and closes them. */
  end(): Promise<void>
  end(callback: (error?: Error) => void): void
  end(callback?: (error?: Error) => void): Promise<void> | undefined {
    if (callback === undefined) return promised(this.Promise, (done) => this.#end(done))
    this.#end((...error) => process.nextTick(callback, ...error))
    return undefined
  }

  #connect(done: (error: Error | undefined, client?: T & PgPoolClient, release?: unknown) => void): void {
    this.#acquire(
      (lease) => {
        const checkout = new Checkout(lease, this.#lend(lease), (own, error) => {
          this.#checkouts.delete(own)
          this.#giveBack(own, error, Boolean(error))
        })
        this.#checkouts.add(checkout)
        const client = checkout.handOut(this.#footing.identity) as unknown as T & PgPoolClient
        const shown = this.present(client, lease)
        done(undefined, shown, shown.release)
      },
      (error) => done(error, undefined, nothing),
    )
  }

  /** What a borrower is given. */
  protected present(client: T & PgPoolClient, _lease: Lease<PgClient>): T & PgPoolClient {
    return client
  }

  /** Something of this pool's begins or ends that has no client of its own: `end` waits for it. */
  protected countRunning(change: 1 | -1): void {
    this.#running += change
    this.#departure?.look()
  }

  #query(asked: Asked, done: Done): void {
    if (this.connect !== ownConnect) {
      runOnNext(this, asked, done)
      return
    }
    this.#acquire((lease) => {
      const back = this.#lendForOne(lease)
      this.log('dispatching query')
      runOn(lease.connection, asked, (error, result, spoilt) => {
        this.log('query dispatched')
        back(error, spoilt)
        done(error, result)
      })
    }, done)
  }

  /** It is at once what its rows are read from; its client comes back when they are. */
  #read(reader: Reader): Reader {
    this.#acquire(
      (lease) => {
        const back = this.#lendForOne(lease)
        readOn(lease.connection, reader, () => back(undefined, false))
      },
      (error) => failReader(reader, error),
    )
    return reader
  }

  /** Lends it for one statement of `query`; gives what ends that. */
  #lendForOne(lease: Lease<PgClient>): (error: Error | undefined, spoilt: boolean) => void {
    const own = { lease, client: lease.connection, known: this.#lend(lease) }
    this.#running++
    return (error, spoilt) => {
      this.#running--
      this.#giveBack(own, error, spoilt)
    }
  }

  #acquire(use: (lease: Lease<PgClient>) => void, fail: (error: Error) => void): void {
    const { pool, queue, translate } = this.#footing
    if (this.ending) {
      fail(new Error(ENDED))
      return
    }
    const lease = pool.closed ? undefined : pool.tryAcquire()
    if (lease !== undefined) {
      use(lease)
      return
    }
    this.#waiting++
    queue.acquire(pool, {
      use: (granted) => {
        this.#waiting--
        use(granted)
        this.#departure?.look()
      },
      fail: (error) => {
        this.#waiting--
        this.#departure?.look()
        fail(translate(error) as Error)
      },
    })
  }

  #lend({ connection: client }: Lease<PgClient>): ReturnType<KnownClients['lent']> {
    const known = this.#clients.lent(client)
    this.#tell('acquire', client)
    return known
  }

  #giveBack({ lease, client, known }: Held, error: unknown, spoilt: boolean): void {
    known.isOut = false
    known.isDead ||= spoilt
    this.#tell('release', error, client)
    if (spoilt) lease.destroy(error)
    else lease.release()
    this.#departure?.look()
  }

  /**
   * Without a listener an error event would end the process. What a listener throws is its program's own; the client on
   * its way must not be lost over it.
   */
  #tell(event: string, ...facts: unknown[]): void {
    if (this.listenerCount(event) === 0) return
    try {
      this.emit(event, ...facts)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }

  #end(done: (...error: [] | [Error]) => void): void {
    this.log('ending')
    const { pool, ownsPool } = this.#footing
    if (this.#departure !== undefined && ownsPool) {
      done(new Error(ENDED_TWICE))
      return
    }
    this.ending = true
    this.#departure ??= new Departure({
      pool,
      ownsPool,
      waiting: () => this.#waiting,
      isQuiet: () => this.#waiting === 0 && this.#running === 0 && this.#checkouts.size === 0,
      checkouts: this.#checkouts,
      unusedLimitMs: this.options.drainTimeoutMillis ?? 10_000,
    })
    this.#departure.done.then(() => {
      this.ended = true
      done()
    })
  }
}

/** Where a program has put a `connect` of its own in its place, `query` goes through that one. */
const { connect: ownConnect } = PgPoolShape.prototype
