import type { Lease } from '../contract/lease.ts'
import type { Pool } from '../contract/pool.ts'
import { Borrower, isHeld, type Validation } from './borrower.ts'
import { Loans } from './loans.ts'
import type { Withdrawal } from './withdrawal.ts'

/**
 * Lends the resources themselves, not leases, as older pools do: knows who waits, what is out, and when there is neither.
 */
export class LendingDesk<R> {
  readonly #pool: Pool<R>
  readonly #borrower: Borrower<R>
  readonly #loans = new Loans<R>()
  readonly #waiting = new Set<Withdrawal>()
  #whenQuiet: (() => void)[] = []

  constructor(pool: Pool<R>, validation?: Validation<R>) {
    this.#pool = pool
    this.#borrower = new Borrower(pool, validation)
  }

  /** Resources whose validation has not ended. */
  get validating(): number {
    return this.#borrower.validating
  }

  /** Nobody waits, and nothing is out. */
  get isQuiet(): boolean {
    return this.#waiting.size === 0 && this.#loans.size === 0
  }

  isLent(resource: R): boolean {
    return this.#loans.has(resource)
  }

  /** A resource that is idle and good, until `take` is called for it. */
  borrowNow(): Promise<R> | undefined {
    const lease = this.#borrower.borrowIdle()
    if (lease === undefined) return undefined
    const resource = lease.connection
    this.#loans.add(resource, lease)
    return Promise.resolve(resource)
  }

  /** A resource, until `take` is called for it. */
  async borrow(withdrawal: Withdrawal, priority: number): Promise<R> {
    this.#waiting.add(withdrawal)
    try {
      let lease = await this.#borrower.borrow(withdrawal, priority)
      while (!isHeld(lease)) lease = await this.#borrower.borrow(withdrawal, priority)
      if (withdrawal.aborted) {
        lease.release()
        throw withdrawal.reason
      }
      const resource = lease.connection
      this.#loans.add(resource, lease)
      return resource
    } finally {
      this.#waiting.delete(withdrawal)
      this.#tellQuiet()
    }
  }

  /** The lease on this resource, which is out no longer; undefined for what is not lent. */
  take(resource: R): Lease<R> | undefined {
    const lease = this.#loans.take(resource)
    this.#tellQuiet()
    return lease
  }

  /** A create has failed: all who wait are told when nothing is open, and otherwise the first. */
  createFailed(error: unknown): void {
    const { idle, leased } = this.#pool.stats()
    for (const withdrawal of this.#waiting) {
      withdrawal.abort(error)
      // Where others hold resources, the next ones still have a hope.
      if (idle + leased > 0) return
    }
  }

  turnAwayAll(reason: () => Error): void {
    for (const withdrawal of this.#waiting) withdrawal.abort(reason())
  }

  /** Resolves when nobody waits and nothing is out. */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenQuiet.push(resolve)
      this.#tellQuiet()
    })
  }

  /** Destroys what is still out. */
  destroyLoans(reason: Error): void {
    for (const lease of this.#loans.takeAll()) lease.destroy(reason)
    this.#tellQuiet()
  }

  #tellQuiet(): void {
    if (this.#whenQuiet.length === 0 || !this.isQuiet) return
    const waiting = this.#whenQuiet
    this.#whenQuiet = []
    for (const resolve of waiting) resolve()
  }
}
