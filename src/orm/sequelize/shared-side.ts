import { PoolClosedError } from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import type { Pool } from '../../contract/pool.ts'
import { Side } from './side.ts'

/** How long leases may take to come back when Sequelize leaves a pool that stays open. */
const LEAVING_MS = 10_000
const LOOK_EVERY_MS = 20

/** What Sequelize is to see of a connection that a pool of the user's lends. */
type Introduce = (connection: object) => Promise<object>

/** A pool that serves others as well: they go on when Sequelize has left. */
export class SharedSide extends Side {
  readonly #introduce: Introduce
  readonly #ownsPool: boolean
  #hasLeft = false

  constructor(
    pool: Pool<object>,
    { introduce, ownsPool }: { readonly introduce: Introduce; readonly ownsPool: boolean },
  ) {
    const { max } = pool.stats()
    super(pool, { max, min: 0, validate: undefined, isSound: () => true, ends: new WeakMap() })
    this.#introduce = introduce
    this.#ownsPool = ownsPool
  }

  override async acquire(): Promise<object> {
    if (this.#hasLeft) throw new PoolClosedError(this.name)
    return this.#introduced(this.pool.tryAcquire() ?? (await this.pool.acquire()))
  }

  override async drain(): Promise<void> {
    this.#hasLeft = true
    const until = performance.now() + LEAVING_MS
    while (this.using > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    this.destroyLent()
    if (this.#ownsPool) await this.pool.close()
  }

  /** Others' connections are not ours to close. */
  override async destroyAllNow(): Promise<void> {}

  async #introduced(lease: Lease<object>): Promise<object> {
    try {
      return this.lend(lease, await this.#introduce(lease.connection))
    } catch (error) {
      lease.destroy(error)
      throw error
    }
  }
}
