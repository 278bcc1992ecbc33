import type { Pool } from '../../contract/pool.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import type { StandingQueue } from '../standing-queue.ts'
import type { Identity } from './checkout.ts'
import type { ClientClass, KeptOptions } from './types.ts'

/** What a pool of this shape stands on. */
export interface Footing {
  readonly pool: Pool<PgClient>
  readonly options: KeptOptions
  /** Asked for when somebody asks. */
  readonly Client: () => ClientClass
  /** `end` closes the pool. */
  readonly ownsPool: boolean
  readonly identity: Identity
  readonly queue: StandingQueue
  /** What the pool's own errors are to callers. */
  readonly translate: (error: unknown) => unknown
}
