import { AcquireTimeoutError, messageOf, PoolClosedError } from '../../contract/errors.ts'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import type { Validation } from '../borrower.ts'
import { LendingDesk } from '../lending-desk.ts'
import type { Withdrawal } from '../withdrawal.ts'
import type { Listener, TarnEmitter, TarnEventName, TarnEvents } from './events.ts'
import { PendingOperation } from './pending-operation.ts'
import { PromiseInspection } from './promise-inspection.ts'
import { TimeoutError } from './timeout-error.ts'

export interface ShapeParts<T> {
  readonly pool: RockpoolPool<T>
  readonly events: TarnEmitter<T>
  /** `destroy` closes the pool; without it, it lets go of it. */
  readonly ownsPool: boolean
  readonly drainTimeoutMillis: number
  /** What a resource must pass to be lent. */
  readonly validation?: Validation<T> | undefined
}

/** Any pool of rockpool, as those see it who know tarn. */
export class TarnShape<T> {
  /** The pool behind it: its `stats()`, `on` and `resize`. */
  readonly pool: RockpoolPool<T>
  protected readonly events: TarnEmitter<T>
  protected readonly desk: LendingDesk<T>
  readonly #parts: ShapeParts<T>
  #destroyed = false
  #reaping = false

  constructor(parts: ShapeParts<T>) {
    this.#parts = parts
    this.pool = parts.pool
    this.events = parts.events
    this.desk = new LendingDesk(parts.pool, parts.validation)
  }

  /** `destroy` has been called. */
  get destroyed(): boolean {
    return this.#destroyed
  }

  /** Resources that are lent. */
  numUsed(): number {
    return this.pool.stats().leased - this.desk.validating
  }

  /** Resources that wait to be lent. */
  numFree(): number {
    return this.pool.stats().idle
  }

  numPendingAcquires(): number {
    return this.pool.stats().waiting
  }

  numPendingValidations(): number {
    return this.pool.stats().validating + this.desk.validating
  }

  numPendingCreates(): number {
    return this.pool.stats().connecting
  }

  isEmpty(): boolean {
    const { idle, leased, waiting, validating, connecting } = this.pool.stats()
    return idle + leased + waiting + validating + connecting === 0
  }

  /** Asks for a resource; the promise is in `promise`. @throws TimeoutError, and what `create` throws if that is wanted */
  acquire(): PendingOperation<T> {
    const eventId = this.events.nextId()
    this.events.tell('acquireRequest', eventId)
    return new PendingOperation<T>((pending, withdrawal) => this.#acquire(pending, withdrawal, eventId))
  }

  /** Gives a resource back. False: it is not lent, and nothing happened. */
  release(resource: T): boolean {
    this.events.tell('release', resource)
    const lease = this.desk.take(resource)
    lease?.release()
    return lease !== undefined
  }

  /** Nothing to do: resources that have been idle for long enough are destroyed without being looked for. */
  check(): void {}

  /**
   * Ends the pool, if it owns it: those who wait are turned away, and those who use a resource may end. Otherwise it lets go
   * of it: what is lent can be given back.
   */
  async destroy(): Promise<PromiseInspection<void>> {
    const { ownsPool, drainTimeoutMillis } = this.#parts
    const eventId = this.events.nextId()
    this.events.tell('poolDestroyRequest', eventId)
    this.#destroyed = true
    this.desk.turnAwayAll(() => new Error('aborted'))
    this.#stopReaping()
    if (ownsPool) await this.pool.close({ drainTimeoutMs: drainTimeoutMillis })
    this.events.tell('poolDestroySuccess', eventId)
    this.events.clear()
    return new PromiseInspection<void>({})
  }

  on<E extends TarnEventName>(event: E, listener: (...facts: TarnEvents<T>[E]) => void): void {
    this.events.on(event, listener as Listener)
  }

  removeListener(event: string | symbol, listener: Listener): void {
    this.events.off(event, listener)
  }

  removeAllListeners(event?: string | symbol): void {
    this.events.clear(event)
  }

  /** A resource has been destroyed. */
  protected shrunk(): void {
    const { total, closing } = this.pool.stats()
    if (total === closing) this.#stopReaping()
  }

  async #acquire(pending: PendingOperation<T>, withdrawal: Withdrawal, eventId: number): Promise<T> {
    try {
      if (this.#destroyed) throw new Error('aborted')
      const resource = await this.desk.borrow(withdrawal, 0)
      if (!this.#reaping) {
        this.#reaping = true
        this.events.tell('startReaping')
      }
      this.events.tell('acquireSuccess', eventId, resource)
      return resource
    } catch (error) {
      if (pending.instead !== undefined) return pending.instead.value
      const known = translated(error)
      pending.isRejected = true
      this.events.tell('acquireFail', eventId, known as Error)
      throw known
    }
  }

  #stopReaping(): void {
    if (!this.#reaping) return
    this.#reaping = false
    this.events.tell('stopReaping')
  }
}

/** Our errors as tarn's users know them. */
function translated(error: unknown): unknown {
  if (error instanceof PoolClosedError) return new Error('aborted', { cause: error })
  if (!(error instanceof AcquireTimeoutError)) return error
  const { cause } = error
  return new TimeoutError(cause === undefined ? error.message : messageOf(cause), { cause: error })
}
