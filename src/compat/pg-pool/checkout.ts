import type { EventEmitter } from 'node:events'
import { LeaseReleasedError } from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import { isBusy, type PgClient } from '../../drivers/pg/client.ts'
import { Borrowing } from '../borrowed.ts'
import type { Listed } from '../roster.ts'
import { RELEASED_TWICE } from './errors.ts'
import type { KnownClient } from './known-clients.ts'

/** `checkout`: a fresh object for each checkout, so that stale use is refused. `connection`: pg's client itself. */
export type Identity = 'checkout' | 'connection'

export type Release = (error?: unknown) => void

/** A connection in somebody's hands; the lease of one that was lost does not show it any more. */
export interface Held {
  readonly lease: Lease<PgClient>
  readonly client: PgClient
  readonly known: KnownClient
}

const HARMLESS: ReadonlySet<PropertyKey> = new Set([
  'off',
  'removeListener',
  'listeners',
  'listenerCount',
  'eventNames',
  'getMaxListeners',
  'escapeIdentifier',
  'escapeLiteral',
  'getTypeParser',
  'getTransactionStatus',
])

type Query = (...args: unknown[]) => unknown

/** One connection in the hands of one caller, until he gives it back. */
export class Checkout extends Borrowing<PgClient> implements Held, Listed {
  place = 0
  readonly client: PgClient
  readonly lease: Lease<PgClient>
  readonly known: KnownClient
  /** Gives it back; a function of its own, because callbacks get it without the client. */
  readonly release: Release
  readonly #giveBack: (checkout: Checkout, error: unknown) => void
  /** `taken`: the pool did not wait any longer; the holder does not know yet. */
  #state: 'out' | 'taken' | 'over' = 'out'
  #busyAt: number | undefined = undefined
  #query: Query | undefined = undefined

  constructor(
    lease: Lease<PgClient>,
    known: KnownClient,
    giveBack: (checkout: Checkout, error: unknown) => void,
  ) {
    super()
    this.lease = lease
    this.client = lease.connection
    this.known = known
    this.#giveBack = giveBack
    this.release = (error) => {
      const state = this.#state
      if (state === 'over') throw new Error(RELEASED_TWICE)
      this.#state = 'over'
      if (state === 'out') giveBack(this, error)
    }
  }

  /** Ends it for a holder who has forgotten it; his release, should it come, does nothing. */
  takeBack(): void {
    if (this.#state !== 'out') return
    this.#state = 'taken'
    this.#giveBack(this, new Error('checked out and not used while the pool was ending'))
  }

  /** What the caller gets. */
  handOut(identity: Identity): PgClient {
    if (identity === 'checkout') return new Proxy(this.client, this)
    return Object.assign(this.client, { release: this.release })
  }

  /** Milliseconds for which the caller has let it lie, from the first time that this is asked. */
  get unusedMs(): number {
    const now = performance.now()
    if (this.#busyAt === undefined || isBusy(this.client)) this.#busyAt = now
    return now - this.#busyAt
  }

  get isOver(): boolean {
    return this.#state !== 'out'
  }

  protected ownMember(key: PropertyKey): unknown {
    if (key === 'query') {
      this.#query ??= this.#makeQuery()
      return this.#query
    }
    if (key === 'release') return this.release
    if (key === 'removeAllListeners') return (event?: string) => this.#removeAllListeners(event)
    return undefined
  }

  /** What a checkout is for, and so without the detours that other methods take. */
  #makeQuery(): Query {
    const client = this.client as unknown as { query: Query }
    return (text, values, callback) =>
      this.isOver ? this.refuse('query', [text, values, callback]) : client.query(text, values, callback)
  }

  protected isHarmless(method: PropertyKey): boolean {
    return HARMLESS.has(method)
  }

  protected refuse(method: PropertyKey, args: unknown[]): unknown {
    const error = new LeaseReleasedError(
      `client.${String(method)}() after client.release(): the connection may serve somebody else by now`,
    )
    const callback = args.find((arg) => typeof arg === 'function')
    if (typeof callback === 'function') process.nextTick(callback as () => void, error)
    else if (method === 'query' || method === 'end') return Promise.reject(error)
    else throw error
    return undefined
  }

  /** The pool's own stay: without them the connection's death would end the process. */
  #removeAllListeners(event?: string): unknown {
    const emitter = this.client as unknown as EventEmitter
    for (const name of event === undefined ? emitter.eventNames() : [event])
      for (const listener of emitter.rawListeners(name))
        if (!this.known.kept.has(listener)) emitter.removeListener(name, listener as () => void)
    return this.client
  }
}
