import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { assertPool } from '../existing-pool.ts'
import { TarnEmitter } from './events.ts'
import { SILENT } from './options.ts'
import { TarnShape } from './shape.ts'

export type { TarnEventName, TarnEvents } from './events.ts'
export type { Callback, CallbackOrPromise, PoolOptions } from './options.ts'
export { PendingOperation } from './pending-operation.ts'
export { Pool } from './pool.ts'
export { PromiseInspection } from './promise-inspection.ts'
export type { TarnShape } from './shape.ts'
export { TimeoutError } from './timeout-error.ts'

/** Options of `tarnPool`. */
export interface TarnPoolOptions {
  /** `destroy` closes the pool as well. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean
}

/** An existing pool, as those see it who know tarn. */
export function tarnPool<T>(pool: RockpoolPool<T>, { ownsPool = false }: TarnPoolOptions = {}): TarnShape<T> {
  assertPool(pool, 'tarnPool')
  return new TarnShape<T>({ pool, events: new TarnEmitter<T>(SILENT), ownsPool, drainTimeoutMillis: 30_000 })
}
