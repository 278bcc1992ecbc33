import { EventEmitter } from 'node:events'
import { ConnectionLostError, messageOf, PoolError } from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import type { QueryResult } from '../../contract/sql-driver.ts'
import { isBusy, type PgClient, type PgField, type PgResult } from '../../drivers/pg/client.ts'
import { linkOf } from '../../drivers/pg/link.ts'
import { forgetAll } from '../../drivers/pg/query.ts'
import { isDirty, reset } from '../../drivers/pg/session.ts'
import { type Ear, earOf, type Hearer } from './ear.ts'
import { type Asked, toSlonik } from './errors.ts'
import type { House } from './house.ts'
import { fieldsOf, rowStream } from './row-stream.ts'
import { runStatement } from './statement.ts'

export type SlonikClientState = 'ACQUIRED' | 'DESTROYED' | 'IDLE' | 'PENDING_DESTROY' | 'PENDING_RELEASE'

type On = (event: string, listener: (...facts: never[]) => void) => never

/** What Slonik takes for a connection of its driver. */
export interface SlonikClient {
  acquire: () => void
  destroy: () => Promise<void>
  id: () => string
  off: On
  on: On
  removeListener: On
  query: (sql: string, values?: unknown[], options?: { readonly name?: string }) => Promise<never>
  release: () => Promise<void>
  state: () => SlonikClientState
  stream: (sql: string, values?: unknown[]) => never
}

const DISCARD_ALL = /^\s*discard\s+all\s*;?\s*$/i
/** Milliseconds that Slonik waits by default for a statement in flight. */
const GRACE_MS = 5_000

let seats = 0

/**
 * What Slonik takes for a connection. It stays, and connections of the pool come and go: each use borrows one when it must, and
 * gives it back at its end, so that what Slonik's own pool keeps has none. A new one for each use would cost more than all else:
 * Slonik remembers each of them in weak maps, which garbage collection empties late. What somebody keeps after its use
 * Slonik itself refuses.
 *
 *     IDLE --acquire--> ACQUIRED --release--> PENDING_RELEASE --reset, given back--> IDLE, or DESTROYED
 *     IDLE, ACQUIRED --destroy--> PENDING_DESTROY --reset, given back; or closed--> DESTROYED
 */
export class Seat implements Hearer {
  readonly #house: House
  readonly #events = new EventEmitter()
  readonly #id = `rockpool-${++seats}`
  #state: SlonikClientState = 'IDLE'
  #lease: Lease<PgClient> | undefined = undefined
  #client: PgClient | undefined = undefined
  #ear: Ear | undefined = undefined
  /** Nothing was idle when it was acquired: the connection is on its way. */
  #arrival: Promise<PgClient> | undefined = undefined
  /** Nothing was asked yet in this use, and nothing is borrowed. */
  #isFresh = false
  #isRunning = false
  #isDiscarded = false
  #end: Promise<void> = Promise.resolve()

  /** The first one who sits here has a connection already, so that Slonik itself hears of one that cannot be had. */
  constructor(house: House, first: Lease<PgClient>) {
    this.#house = house
    this.#take(first)
  }

  /** Slonik copies its members: each must do without `this`. */
  asClient(): SlonikClient {
    const events = this.#events
    return {
      acquire: () => this.#acquire(),
      destroy: () => this.#close('PENDING_DESTROY'),
      id: () => this.#id,
      off: (event, listener) => events.off(event, listener as () => void) as never,
      on: (event, listener) => events.on(event, listener as () => void) as never,
      removeListener: (event, listener) => events.removeListener(event, listener as () => void) as never,
      query: (sql, values, options) => this.#query(sql, values, options?.name) as Promise<never>,
      release: () => this.#release(),
      state: () => this.#state,
      stream: (sql, values) => this.#stream(sql, values) as never,
    }
  }

  onError(error: Error): void {
    if (this.#events.listenerCount('error') > 0)
      this.#events.emit('error', toSlonik(this.#house.slonik, error))
    void this.#close('PENDING_DESTROY').catch(() => undefined)
  }

  onNotice({ message }: { message?: string }): void {
    if (message !== undefined) this.#events.emit('notice', { message })
  }

  #acquire(): void {
    if (this.#state !== 'IDLE') throw new Error(`Client is ${inWords(this.#state)}.`)
    this.#state = 'ACQUIRED'
    if (this.#client === undefined) {
      this.#house.empty--
      this.#isFresh = true
    }
    this.#events.emit('acquire')
  }

  /** Slonik does not wait when it acquires: its first statement does, where nothing is idle. */
  #borrowed(): PgClient | Promise<PgClient> {
    this.#isFresh = false
    const here = this.#client ?? this.#arrival
    if (here !== undefined) return here
    const idle = this.#house.takeIdle()
    if (idle !== undefined) return this.#take(idle)
    this.#arrival = this.#await()
    // Whoever asks for something is told.
    this.#arrival.catch(() => undefined)
    return this.#arrival
  }

  async #await(): Promise<PgClient> {
    try {
      return this.#take(await this.#house.borrow())
    } catch (error) {
      throw this.#unconnected(error)
    }
  }

  #unconnected(error: unknown): Error {
    return new this.#house.slonik.ConnectionError(messageOf(error), { cause: error })
  }

  #take(lease: Lease<PgClient>): PgClient {
    const client = lease.connection
    this.#ear = earOf(client)
    this.#ear.hearer = this
    this.#lease = lease
    this.#client = client
    return client
  }

  #assertAcquired(): void {
    if (this.#state === 'ACQUIRED') return
    throw new Error(`Client is ${this.#state === 'IDLE' ? 'not acquired' : inWords(this.#state)}.`)
  }

  async #query(sql: string, values: unknown[] = [], name?: string): Promise<unknown> {
    this.#assertAcquired()
    this.#isRunning = true
    try {
      const { command, fields, rowCount, rows } = await this.#ask(sql, values, name)
      return { command, fields: fieldsOf(fields as readonly PgField[]), rowCount, rows }
    } catch (error) {
      throw this.#told(error, { sql, values })
    } finally {
      this.#isRunning = false
    }
  }

  async #ask(sql: string, values: unknown[], name: string | undefined): Promise<PgResult | QueryResult> {
    const { needsNothing, reading } = this.#house
    if (this.#isFresh && needsNothing && name === undefined) {
      const read = this.#house.read(sql, values)
      this.#isFresh = false
      if (read !== undefined) return read
    }
    const client = await this.#borrowed()
    return runStatement(client, reading.for(client), { sql, values, name })
  }

  #told(error: unknown, asked: Asked): Error {
    if (error instanceof ConnectionLostError)
      return toSlonik(this.#house.slonik, (error.cause ?? error) as Error, asked)
    return error instanceof PoolError
      ? this.#unconnected(error)
      : toSlonik(this.#house.slonik, error as Error, asked)
  }

  #stream(sql: string, values: unknown[] | undefined): unknown {
    this.#assertAcquired()
    const { slonik, reading, queryStream } = this.#house
    const translate = (error: Error) => toSlonik(slonik, error, { sql, values: values ?? [] })
    const statement = { text: sql, values, typesOf: (client: PgClient) => reading.for(client) }
    const client = this.#borrowed()
    return rowStream(client, statement, { QueryStream: queryStream(), translate })
  }

  #release(): Promise<void> {
    if (this.#state === 'IDLE') return Promise.reject(new Error('Client is not acquired.'))
    if (this.#state === 'ACQUIRED' && this.#isRunning)
      return Promise.reject(new Error('Client has an active query.'))
    return this.#close('PENDING_RELEASE')
  }

  #close(state: 'PENDING_RELEASE' | 'PENDING_DESTROY'): Promise<void> {
    if (this.#state !== 'IDLE' && this.#state !== 'ACQUIRED') return this.#end
    if (this.#state === 'IDLE' && this.#client === undefined) this.#house.empty--
    this.#state = state
    this.#end = this.#giveBack()
    return this.#end
  }

  /**
   * Slonik destroys a connection over every error, also one of a constraint. What is sound after its reset serves the next;
   * what is dead, or still busy after a while, is closed.
   */
  async #giveBack(): Promise<void> {
    const wasReleased = this.#state === 'PENDING_RELEASE'
    // What is still on its way is not wanted any more; whoever asked for something has heard why there is none.
    await this.#arrival?.catch(() => undefined)
    this.#arrival = undefined
    const lease = this.#lease
    const client = this.#client
    try {
      if (client !== undefined) await this.#tidy(client)
      this.#leave()
      lease?.release()
      if (wasReleased && this.#house.empty < this.#house.most) this.#stay()
    } catch (error) {
      this.#leave()
      lease?.destroy(error)
      if (wasReleased) throw error
    } finally {
      if (this.#state !== 'IDLE') {
        this.#state = 'DESTROYED'
        this.#events.emit('destroy')
      }
    }
  }

  /** For the next one whom Slonik puts here. */
  #stay(): void {
    this.#house.empty++
    this.#state = 'IDLE'
    this.#events.emit('release')
  }

  #leave(): void {
    if (this.#ear !== undefined) this.#ear.hearer = undefined
    this.#ear = undefined
    this.#lease = undefined
    this.#client = undefined
  }

  async #tidy(client: PgClient): Promise<void> {
    if (isBusy(client)) await this.#quiet(client)
    if (isBusy(client)) throw new Error('a statement was in flight')
    // By the user's own `resetConnection`, on a session that is in no transaction.
    if (isDirty(client)) await reset(client, 'rollback')
    const { configuration, resetTimeouts } = this.#house
    this.#isDiscarded = false
    await configuration.resetConnection?.(this.#resetting)
    if (!this.#isDiscarded && resetTimeouts !== '') await client.query(resetTimeouts)
  }

  readonly #resetting = {
    query: async (sql: string) => {
      const client = this.#client as PgClient
      await client.query(sql)
      if (!DISCARD_ALL.test(sql)) return
      // Prepared statements are gone with everything else.
      forgetAll(client)
      this.#isDiscarded = true
    },
  }

  /** An error comes before the server is done with its statement. */
  async #quiet(client: PgClient): Promise<void> {
    const { gracefulTerminationTimeout = GRACE_MS } = this.#house.configuration
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, gracefulTerminationTimeout)
    })
    try {
      await Promise.race([linkOf(client).quiet(), late])
    } finally {
      clearTimeout(timer)
    }
  }
}

function inWords(state: SlonikClientState): string {
  if (state === 'ACQUIRED') return 'already acquired'
  return state.toLowerCase().replace('_', ' ')
}
