import type { Driver } from '../contract/driver.ts'
import type { PoolOptions } from '../contract/options.ts'
import type { Pool } from '../contract/pool.ts'
import { PoolLease } from './pool-lease.ts'
import { ResourcePool } from './resource-pool.ts'

/**
 * Pools anything: a driver needs no more than `name`, `connect` and `close`.
 * @throws InvalidOptionError
 */
export function createResourcePool<R>(driver: Driver<R>, options: PoolOptions<R> = {}): Pool<R> {
  return new ResourcePool<R, PoolLease<R>>(
    driver,
    options,
    (lender, slot, trace) => new PoolLease(lender, slot, trace),
  )
}
