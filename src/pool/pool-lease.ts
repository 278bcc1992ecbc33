import { asyncDispose, dispose } from '../contract/dispose.ts'
import { InvalidOptionError, LeaseReleasedError } from '../contract/errors.ts'
import type { Lease } from '../contract/lease.ts'
import type { Slot } from '../engine/slot.ts'

/** Why a lease ended without its holder's doing. */
export type Revocation = 'lost' | 'close' | 'destroyed' | 'broken'

/** Who holds a connection: one lease, or several that joined under one key. */
export interface Holder {
  readonly stack: string | undefined
  revoke(why: Revocation, cause: unknown): void
}

/** What leases ask of the pool. */
export interface Lender<C> {
  readonly name: string
  /** `quiet` settles when no statement of this lease is on its way any more; undefined when none is. */
  giveBack(lease: PoolLease<C>, slot: Slot<C, Holder>, quiet: Promise<unknown> | undefined): void
  destroy(lease: PoolLease<C>, slot: Slot<C, Holder>, reason: unknown): void
  retire(slot: Slot<C, Holder>): void
  detach(lease: PoolLease<C>, slot: Slot<C, Holder>): C
  isJoined(slot: Slot<C, Holder>): boolean
  wanted(slot: Slot<C, Holder>): boolean
  /** Statements share this connection until the lease ends. */
  share(slot: Slot<C, Holder>): void
  /** A statement has found out that the connection died. */
  lost(slot: Slot<C, Holder>, error: unknown): void
  /** The connection lives, but cannot be brought back to order. */
  broken(slot: Slot<C, Holder>, error: unknown): void
}

/** What ended a lease that its holder has not ended. */
interface PoolsEnd {
  readonly why: Revocation
  readonly cause: unknown
  /** The holder's first release or destroy does nothing, so that `finally` never hides the real error. */
  excused: boolean
}

const REASONS: Record<Revocation, string> = {
  lost: 'its connection was lost',
  close: 'the pool was closed before it was given back',
  destroyed: 'its connection was destroyed by another lease with the same key',
  broken: 'its connection could not be rolled back',
}

export class PoolLease<C> implements Lease<C>, Holder {
  protected readonly lender: Lender<C>
  /** Undefined once the lease has ended. */
  #slot: Slot<C, Holder> | undefined
  #poolsEnd: PoolsEnd | undefined = undefined
  #trace: Error | undefined

  constructor(lender: Lender<C>, slot: Slot<C, Holder>, trace: Error | undefined) {
    this.lender = lender
    this.#slot = slot
    this.#trace = trace
  }

  get connection(): C {
    return this.held().connection as C
  }

  get wanted(): boolean {
    return this.lender.wanted(this.held())
  }

  /** Where the lease was taken. */
  get stack(): string | undefined {
    return this.#trace?.stack?.replace(/^.*\n/, '')
  }

  release(): void {
    const slot = this.#slot
    if (slot === undefined) {
      this.#excuse()
      return
    }
    this.#slot = undefined
    this.lender.giveBack(this, slot, this.quiet())
  }

  destroy(reason?: unknown): void {
    const slot = this.#end()
    if (slot !== undefined) this.lender.destroy(this, slot, reason)
  }

  retire(): void {
    this.lender.retire(this.held())
  }

  detach(): C {
    if (this.lender.isJoined(this.held())) {
      throw new InvalidOptionError(
        'detach',
        `pool "${this.lender.name}": other leases with the same key use this connection`,
      )
    }
    return this.lender.detach(this, this.#end() as Slot<C, Holder>)
  }

  [dispose](): void {
    if (this.#slot !== undefined) this.release()
  }

  async [asyncDispose](): Promise<void> {
    this[dispose]()
  }

  revoke(why: Revocation, cause: unknown): void {
    this.#slot = undefined
    this.#poolsEnd = { why, cause, excused: false }
  }

  /** Why the pool ended this lease, if it did. */
  protected get poolsEnd(): { readonly why: Revocation; readonly cause: unknown } | undefined {
    return this.#poolsEnd
  }

  /** The connection is this lease's. */
  protected get isHeld(): boolean {
    return this.#slot !== undefined
  }

  protected held(): Slot<C, Holder> {
    return this.#slot ?? this.#refuse()
  }

  /** Settles when no statement of this lease is on its way any more. */
  protected quiet(): Promise<unknown> | undefined {
    return undefined
  }

  #end(): Slot<C, Holder> | undefined {
    const slot = this.#slot
    if (slot === undefined) this.#excuse()
    this.#slot = undefined
    return slot
  }

  #excuse(): void {
    if (this.#poolsEnd === undefined || this.#poolsEnd.excused) this.#refuse()
    this.#poolsEnd.excused = true
  }

  #refuse(): never {
    const pool = `pool "${this.lender.name}"`
    if (this.#poolsEnd === undefined) {
      throw new LeaseReleasedError(`${pool}: this lease has already been released, destroyed or detached`)
    }
    const { why, cause } = this.#poolsEnd
    throw new LeaseReleasedError(`${pool}: this lease has ended because ${REASONS[why]}`, { cause })
  }
}
