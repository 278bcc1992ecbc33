import { assertOption } from '../../contract/check.ts'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { OraclePoolError } from './errors.ts'
import type { OracleConnection } from './package.ts'

/** A drain of this many seconds is none that would ever end. */
const MOST_SECONDS = 2 ** 31

/** How a pool of oracledb's ends. */
export class Closing {
  state: 'open' | 'draining' | 'closed' = 'open'
  readonly #pool: RockpoolPool<OracleConnection>
  readonly #ownsPool: boolean
  readonly #ended: () => void

  constructor(pool: RockpoolPool<OracleConnection>, ownsPool: boolean, ended: () => void) {
    this.#pool = pool
    this.#ownsPool = ownsPool
    this.#ended = ended
  }

  /** @throws OraclePoolError */
  assertOpen(): void {
    if (this.state === 'draining') throw new OraclePoolError('NJS-064')
    if (this.state === 'closed') throw new OraclePoolError('NJS-065')
  }

  async close(drainTime: number | undefined): Promise<void> {
    if (drainTime !== undefined) assertOption('drainTime', drainTime, seconds)
    this.assertOpen()
    if (drainTime === undefined && this.#pool.stats().leased > 0) throw new OraclePoolError('NJS-104')
    this.state = 'draining'
    if (this.#ownsPool) await this.#pool.close({ drainTimeoutMs: (drainTime ?? 0) * 1_000 })
    this.state = 'closed'
    this.#ended()
  }
}

function seconds(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 && value <= MOST_SECONDS
    ? undefined
    : 'it must be a number of seconds from 0'
}
