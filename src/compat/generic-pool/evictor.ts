/** What an evictor is told about a resource that is not lent. Times are milliseconds since 1970. */
export interface PooledResource<T> {
  readonly obj: T
  readonly creationTime: number
  readonly lastBorrowTime: number | null
  readonly lastReturnTime: number | null
  readonly lastIdleTime: number
  readonly state: 'IDLE'
}

export interface EvictionConfig {
  readonly softIdleTimeoutMillis: number
  readonly idleTimeoutMillis: number
  readonly min: number
}

/** Decides which resources that are not lent are destroyed. */
export interface Evictor<T = unknown> {
  evict(config: EvictionConfig, resource: PooledResource<T>, availableObjectsCount: number): boolean
}

export class DefaultEvictor implements Evictor {
  evict(
    config: EvictionConfig,
    resource: Pick<PooledResource<unknown>, 'lastIdleTime'>,
    availableObjectsCount: number,
  ): boolean {
    const idle = Date.now() - resource.lastIdleTime
    const { softIdleTimeoutMillis: soft, idleTimeoutMillis, min } = config
    if (soft > 0 && soft < idle && min < availableObjectsCount) return true
    return idleTimeoutMillis < idle
  }
}
