import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import type { OracleConnection } from './package.ts'

/** Names of the attributes that statistics repeat. */
const ATTRIBUTES = [
  'connectString',
  'edition',
  'events',
  'externalAuth',
  'homogeneous',
  'poolAlias',
  'poolIncrement',
  'poolMax',
  'poolMaxPerShard',
  'poolMin',
  'poolPingInterval',
  'poolPingTimeout',
  'poolTimeout',
  'maxLifetimeSession',
  'queueMax',
  'queueTimeout',
  'sodaMetaDataCache',
  'stmtCacheSize',
  'user',
  'thin',
] as const

/** The pool that statistics are about: its attributes, by name. */
export type Described = { readonly [Name in (typeof ATTRIBUTES)[number]]: unknown } & {
  readonly pool: RockpoolPool<OracleConnection>
  readonly connectionsInUse: number
  readonly connectionsOpen: number
}

/** What a pool counts for its statistics. */
export class Counts {
  since = Date.now()
  connectionRequests = 0
  requestsEnqueued = 0
  requestsDequeued = 0
  failedRequests = 0
  rejectedRequests = 0
  requestTimeouts = 0
  maximumQueueLength = 0
  timeInQueue = 0
  minimumTimeInQueue = 0
  maximumTimeInQueue = 0

  queued(length: number): void {
    this.requestsEnqueued++
    this.maximumQueueLength = Math.max(this.maximumQueueLength, length)
  }

  dequeued(ms: number): void {
    this.requestsDequeued++
    this.timeInQueue += ms
    this.minimumTimeInQueue = this.requestsDequeued === 1 ? ms : Math.min(this.minimumTimeInQueue, ms)
    this.maximumTimeInQueue = Math.max(this.maximumTimeInQueue, ms)
  }
}

/** A picture of a pool; times are in milliseconds. */
export class OraclePoolStatistics {
  readonly [name: string]: unknown

  constructor(pool: Described, counts: Counts, createdAt: number) {
    const { since, ...counted } = counts
    const now = Date.now()
    const average =
      counts.requestsEnqueued === 0 ? 0 : Math.round(counts.timeInQueue / counts.requestsEnqueued)
    Object.assign(this, {
      gatheredDate: now,
      upTime: now - createdAt,
      upTimeSinceReset: now - since,
      ...counted,
      currentQueueLength: pool.pool.stats().waiting,
      averageTimeInQueue: average,
      connectionsInUse: pool.connectionsInUse,
      connectionsOpen: pool.connectionsOpen,
      threadPoolSize: process.env.UV_THREADPOOL_SIZE,
    })
    for (const name of ATTRIBUTES) Object.assign(this, { [name]: pool[name] })
  }

  logStatistics(): void {
    console.log('\nPool statistics and attributes:')
    for (const [name, value] of Object.entries(this)) console.log(`...${name}:`, value)
  }
}
