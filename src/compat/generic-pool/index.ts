import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { systemClock } from '../../pool/system-clock.ts'
import { assertPool } from '../existing-pool.ts'
import { Deque } from './deque.ts'
import { DefaultEvictor } from './evictor.ts'
import type { Factory, Options } from './options.ts'
import { Pool } from './pool.ts'
import { PriorityQueue } from './priority-queue.ts'
import { GenericPoolShape } from './shape.ts'

export { Deque } from './deque.ts'
export { DefaultEvictor, type EvictionConfig, type Evictor, type PooledResource } from './evictor.ts'
export type { Factory, Options } from './options.ts'
export { Pool } from './pool.ts'
export { PriorityQueue } from './priority-queue.ts'
export type { GenericPoolShape } from './shape.ts'

/** A pool of what `factory.create` makes. @throws InvalidOptionError */
export function createPool<T>(factory: Factory<T>, options?: Options): Pool<T> {
  return new Pool<T>(DefaultEvictor, Deque, PriorityQueue, factory, options)
}

/** Options of `genericPool`. */
export interface GenericPoolOptions {
  /** `clear` after `drain` closes the pool as well. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean
  /** Priorities that there are; 0 is served first. Default 1. */
  priorityRange?: number
}

/** An existing pool, as those see it who know generic-pool. */
export function genericPool<T>(
  pool: RockpoolPool<T>,
  { ownsPool = false, priorityRange = 1 }: GenericPoolOptions = {},
): GenericPoolShape<T> {
  assertPool(pool, 'genericPool')
  return new GenericPoolShape<T>({
    pool,
    ownsPool,
    clock: systemClock,
    drainTimeoutMs: 30_000,
    priorityRange,
    limits: () => ({ min: 0, max: pool.stats().max }),
  })
}
