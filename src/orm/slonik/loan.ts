import { EventEmitter } from 'node:events'
import type { Lease } from '../../contract/lease.ts'
import { isBusy, type PgClient, type PgResult } from '../../drivers/pg/client.ts'
import { linkOf } from '../../drivers/pg/link.ts'
import { forgetAll } from '../../drivers/pg/query.ts'
import { reset } from '../../drivers/pg/session.ts'
import type { DriverConfiguration } from './configuration.ts'
import { type SlonikModule, toSlonik } from './errors.ts'
import type { Reading } from './reading.ts'
import { fieldsOf, type QueryStreamClass, rowStream } from './row-stream.ts'

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

/** What the loans of one Slonik pool have in common. */
export interface House {
  readonly slonik: SlonikModule
  readonly configuration: DriverConfiguration
  readonly reading: Reading
  readonly queryStream: () => QueryStreamClass
  /** Sets Slonik's timeouts and takes them back; empty where the pool's connections have them anyway. */
  readonly timeouts: { readonly set: string; readonly reset: string }
}

const DISCARD_ALL = /^\s*discard\s+all\s*;?\s*$/i
/** Milliseconds that Slonik waits by default for a statement in flight. */
const GRACE_MS = 5_000

let loans = 0

/**
 * One borrowing of a connection, as a connection of Slonik's: it is opened by acquire, and its release is its end, so that
 * Slonik's own pool never has anything to keep.
 *
 *     IDLE --acquire--> ACQUIRED --release--> PENDING_RELEASE --reset, given back--> DESTROYED
 *     IDLE, ACQUIRED --destroy--> PENDING_DESTROY --reset, given back; or closed--> DESTROYED
 */
export class Loan {
  readonly #house: House
  readonly #lease: Lease<PgClient>
  readonly #client: PgClient
  readonly #events = new EventEmitter()
  readonly #id = `rockpool-${++loans}`
  #state: SlonikClientState = 'IDLE'
  #isRunning = false
  #end: Promise<void> | undefined = undefined

  constructor(lease: Lease<PgClient>, house: House) {
    this.#house = house
    this.#lease = lease
    this.#client = lease.connection
    const emitter = this.#client as unknown as EventEmitter
    emitter.on('error', this.#onError)
    emitter.on('notice', this.#onNotice)
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

  readonly #onError = (error: Error) => {
    if (this.#events.listenerCount('error') > 0)
      this.#events.emit('error', toSlonik(this.#house.slonik, error))
    void this.#close('PENDING_DESTROY')
  }

  readonly #onNotice = ({ message }: { message?: string }) => {
    if (message !== undefined) this.#events.emit('notice', { message })
  }

  #acquire(): void {
    if (this.#state !== 'IDLE') throw new Error(`Client is ${inWords(this.#state)}.`)
    this.#state = 'ACQUIRED'
    this.#events.emit('acquire')
  }

  #assertAcquired(): void {
    if (this.#state === 'ACQUIRED') return
    throw new Error(`Client is ${this.#state === 'IDLE' ? 'not acquired' : inWords(this.#state)}.`)
  }

  async #query(sql: string, values: unknown[] = [], name?: string): Promise<unknown> {
    this.#assertAcquired()
    const { slonik, reading } = this.#house
    const types = reading.for(this.#client)
    const asked = { text: sql, values, name, types, queryMode: 'extended' }
    try {
      this.#isRunning = true
      const result = (await this.#client.query(asked as never)) as PgResult
      const { command, fields, rowCount, rows } = result
      return { command, fields: fieldsOf(fields), rowCount, rows }
    } catch (error) {
      throw toSlonik(slonik, error as Error, { sql, values })
    } finally {
      this.#isRunning = false
    }
  }

  #stream(sql: string, values: unknown[] | undefined): unknown {
    this.#assertAcquired()
    const { slonik, reading, queryStream } = this.#house
    const translate = (error: Error) => toSlonik(slonik, error, { sql, values: values ?? [] })
    const statement = { text: sql, values, types: reading.for(this.#client) }
    return rowStream(this.#client, statement, { QueryStream: queryStream(), translate })
  }

  #release(): Promise<void> {
    if (this.#end !== undefined) return this.#end
    if (this.#state !== 'ACQUIRED') return Promise.reject(new Error('Client is not acquired.'))
    if (this.#isRunning) return Promise.reject(new Error('Client has an active query.'))
    return this.#close('PENDING_RELEASE')
  }

  #close(state: 'PENDING_RELEASE' | 'PENDING_DESTROY'): Promise<void> {
    if (this.#end === undefined) {
      this.#state = state
      this.#end = this.#giveBack()
    }
    return this.#end
  }

  /**
   * Slonik destroys a connection over every error, also one of a constraint. What is sound after its reset serves the next;
   * what is dead, or still busy after a while, is closed.
   */
  async #giveBack(): Promise<void> {
    const emitter = this.#client as unknown as EventEmitter
    try {
      await this.#quiet()
      if (isBusy(this.#client)) throw new Error('a statement was in flight')
      await this.#reset()
      this.#leave(emitter)
      this.#lease.release()
    } catch (error) {
      const wasReleased = this.#state === 'PENDING_RELEASE'
      this.#leave(emitter)
      this.#lease.destroy(error)
      if (wasReleased) throw error
    } finally {
      this.#events.emit('destroy')
    }
  }

  #leave(emitter: EventEmitter): void {
    emitter.removeListener('error', this.#onError)
    emitter.removeListener('notice', this.#onNotice)
    this.#state = 'DESTROYED'
  }

  /** An error comes before the server is done with its statement. */
  async #quiet(): Promise<void> {
    if (!isBusy(this.#client)) return
    const { gracefulTerminationTimeout = GRACE_MS } = this.#house.configuration
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, gracefulTerminationTimeout)
    })
    try {
      await Promise.race([linkOf(this.#client).quiet(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** By the user's own `resetConnection`, on a session that is in no transaction. */
  async #reset(): Promise<void> {
    const { configuration, timeouts } = this.#house
    await reset(this.#client, 'rollback')
    let isDiscarded = false
    const query = async (sql: string) => {
      await this.#client.query(sql)
      if (!DISCARD_ALL.test(sql)) return
      // Prepared statements are gone with everything else.
      forgetAll(this.#client)
      isDiscarded = true
    }
    await configuration.resetConnection?.({ query })
    if (!isDiscarded && timeouts.reset !== '') await this.#client.query(timeouts.reset)
  }
}

function inWords(state: SlonikClientState): string {
  if (state === 'ACQUIRED') return 'already acquired'
  return state.toLowerCase().replace('_', ' ')
}
