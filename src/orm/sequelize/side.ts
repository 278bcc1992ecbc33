import type { Lease } from '../../contract/lease.ts'
import type { Pool } from '../../contract/pool.ts'

/** One pool as Sequelize sees it, with the names that it gives to things: for writing, for reading, or for both. */
export class Side {
  readonly name: string
  readonly maxSize: number
  readonly minSize: number
  readonly pool: Pool<object>
  readonly #validate: ((connection: object) => boolean) | undefined
  readonly #leases = new Map<object, Lease<object>>()
  readonly #known = new WeakSet<object>()
  readonly #isSound: (connection: object) => boolean
  readonly #ends: WeakMap<object, (error: unknown) => void>

  constructor(pool: Pool<object>, parts: SideParts) {
    this.pool = pool
    this.name = pool.name
    this.maxSize = parts.max
    this.minSize = parts.min
    this.#validate = parts.validate
    this.#isSound = parts.isSound
    this.#ends = parts.ends
  }

  get size(): number {
    return this.pool.stats().total
  }

  get available(): number {
    return this.pool.stats().idle
  }

  get using(): number {
    return this.#leases.size
  }

  get waiting(): number {
    return this.pool.stats().waiting
  }

  lends(connection: object): boolean {
    return this.#leases.has(connection)
  }

  async acquire(): Promise<object> {
    const lease = this.pool.tryAcquire() ?? (await this.pool.acquire())
    return this.#validate === undefined ? this.lend(lease) : this.#choose(lease, this.#validate)
  }

  /** What is not lent is given back by somebody who has done so before, or whose connection has ended meanwhile. */
  release(connection: object): void {
    const lease = this.#leases.get(connection)
    if (lease === undefined) return
    this.#leases.delete(connection)
    lease.release()
  }

  /** Also for a connection that is idle: drivers tell Sequelize of those that have died. */
  async destroy(connection: object): Promise<void> {
    const lease = this.#leases.get(connection)
    this.#leases.delete(connection)
    if (lease !== undefined && this.#isSound(connection)) return lease.destroy()
    const end = this.#ends.get(connection)
    if (this.#ends.delete(connection)) end?.(new Error('Sequelize was told that the connection has ended'))
  }

  drain(): Promise<unknown> {
    return this.pool.close()
  }

  /** Idle connections are closed now, the others when they come back. */
  async destroyAllNow(): Promise<void> {
    if (this.pool.closed) await this.pool.close()
    else this.pool.refresh()
  }

  /** Whoever has not given back by now has waited for something that does not come. */
  protected destroyLent(): void {
    for (const lease of this.#leases.values()) lease.destroy()
    this.#leases.clear()
  }

  protected lend(lease: Lease<object>, connection = lease.connection): object {
    this.#leases.set(connection, lease)
    return connection
  }

  /** The user's own check, which cannot wait for anything. A connection that was never lent is not asked. */
  async #choose(first: Lease<object>, validate: (connection: object) => boolean): Promise<object> {
    let lease = first
    while (this.#known.has(lease.connection) && !validate(lease.connection)) {
      lease.destroy()
      lease = await this.pool.acquire()
    }
    this.#known.add(lease.connection)
    return this.lend(lease)
  }
}

export interface SideParts {
  readonly max: number
  readonly min: number
  readonly validate: ((connection: object) => boolean) | undefined
  /** By what the driver knows of it; nobody is asked. */
  readonly isSound: (connection: object) => boolean
  readonly ends: WeakMap<object, (error: unknown) => void>
}
