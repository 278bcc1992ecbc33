import type { Driver } from '../contract/driver.ts'
import type { AcquireOptions } from '../contract/lease.ts'
import type { ResolvedOptions } from '../contract/options.ts'
import type { Slot } from '../engine/slot.ts'

/** What must happen to a connection that comes back. */
export type Cleaning = 'none' | 'clean' | 'discard'

/** What a caretaker needs of its pool. */
interface CaretakersPool<C, H> {
  /** Those in force now. */
  readonly options: ResolvedOptions<C>
  /** The server behind this connection was demoted. */
  stale(slot: Slot<C, H>): void
}

/** Checks, prepares and cleans connections: the driver's calls and the user's hooks, each with a signal that ends it. */
export class Caretaker<C, H> {
  readonly #driver: Driver<C>
  readonly #pool: CaretakersPool<C, H>

  constructor(driver: Driver<C>, pool: CaretakersPool<C, H>) {
    this.#driver = driver
    this.#pool = pool
  }

  /** Ends the phase that this connection is in. */
  abort(slot: Slot<C, H>): void {
    slot.phase?.abort(new Error('the pool no longer waits for this'))
    slot.phase = undefined
  }

  /** The liveness check. Rejects or resolves to false when it must not be lent. */
  check(slot: Slot<C, H>): Promise<boolean> {
    return this.#during(
      slot,
      async (connection, signal) => (await this.#driver.isAlive?.(connection, { signal })) !== false,
    )
  }

  prepare(slot: Slot<C, H>, waiter: { readonly options: AcquireOptions }): Promise<void> {
    const { key, affinity, label } = waiter.options
    return this.#during(slot, async (connection, signal) => {
      const facts = { key, affinity, label, lastLabel: slot.label, fresh: slot.uses === 0 }
      await this.#pool.options.onAcquire?.(connection, { signal, ...facts })
    })
  }

  /** What the return of a connection asks for, decided without I/O. */
  cleaningOf(slot: Slot<C, H>): Cleaning {
    const { reset, onRelease } = this.#pool.options
    if (typeof reset === 'function' || reset === 'full') return 'clean'
    if (slot.tainted) return this.#driver.reset === undefined ? 'discard' : 'clean'
    const dirty = this.#isDirty(slot.connection as C)
    if (dirty === false && !slot.inDoubt && onRelease === undefined) return 'none'
    return this.#cleaningBy(dirty, slot)
  }

  #cleaningBy(dirty: boolean | undefined, { inDoubt }: Slot<C, H>): Cleaning {
    const { reset, onRelease } = this.#pool.options
    const canReset = this.#driver.reset !== undefined
    if (dirty === true && (reset === 'none' || !canReset)) return 'discard'
    const unknown = dirty === undefined && reset === 'rollback' && canReset
    return dirty === true || unknown || inDoubt || onRelease !== undefined ? 'clean' : 'none'
  }

  /** Cleans a connection once it is quiet. Rejects when it cannot be lent again. */
  clean(slot: Slot<C, H>, quiet: Promise<unknown> | undefined): Promise<void> {
    return this.#during(slot, async (connection, signal) => {
      await quiet
      signal.throwIfAborted()
      const { reset, onRelease } = this.#pool.options
      if (slot.tainted || reset === 'full') await this.#resetFully(connection, signal)
      else if (reset === 'rollback') await this.#rollBack(connection)
      slot.tainted = false
      if (typeof reset === 'function') await reset(connection, { signal })
      this.#assertClean(connection)
      if (slot.inDoubt) await this.#settleDoubt(slot, connection)
      if (onRelease === undefined) return
      signal.throwIfAborted()
      await onRelease(connection, { signal })
      this.#assertClean(connection)
    })
  }

  /** A failed transaction answers no question: now that it has ended, the server can say whether it was demoted. */
  async #settleDoubt(slot: Slot<C, H>, connection: C): Promise<void> {
    slot.inDoubt = false
    if ((await this.#driver.confirmStale?.(connection)) === true) this.#pool.stale(slot)
  }

  async #rollBack(connection: C): Promise<void> {
    if (this.#isDirty(connection) !== false) await this.#driver.reset?.(connection, 'rollback')
  }

  /** The session as it is after connecting. */
  async #resetFully(connection: C, signal: AbortSignal): Promise<void> {
    if (this.#driver.reset === undefined) throw new Error('the driver cannot reset a changed session')
    await this.#driver.reset(connection, 'full')
    signal.throwIfAborted()
    await this.#pool.options.onConnect?.(connection, { signal })
  }

  #assertClean(connection: C): void {
    if (this.#isDirty(connection) === true) throw new Error('the connection is still dirty after its reset')
  }

  #isDirty(connection: C): boolean | undefined {
    try {
      const said: unknown = this.#driver.isDirty?.(connection)
      // A promise is no answer: taken for yes.
      return said === undefined ? undefined : Boolean(said)
    } catch {
      // Who cannot say is not clean.
      return true
    }
  }

  async #during<T>(slot: Slot<C, H>, work: (connection: C, signal: AbortSignal) => Promise<T>): Promise<T> {
    const phase = new AbortController()
    slot.phase = phase
    try {
      return await work(slot.connection as C, phase.signal)
    } finally {
      if (slot.phase === phase) slot.phase = undefined
    }
  }
}
