/// <reference lib="esnext.disposable" preserve="true" />

export { channelName } from './contract/channels.ts'
export type { Clock, Timer } from './contract/clock.ts'
export type { Driver, ErrorClass, ResetDepth } from './contract/driver.ts'
export {
  AcquireTimeoutError,
  ConnectError,
  ConnectionLostError,
  DriverMissingError,
  InvalidOptionError,
  LeaseReleasedError,
  OverloadError,
  PoolBugError,
  PoolBypassedError,
  PoolClosedError,
  PoolDeadlockError,
  PoolError,
  type PoolErrorCode,
  QueryTimeoutError,
  QueueFullError,
  SessionStatementError,
  TransactionError,
} from './contract/errors.ts'
export type { PoolEvent, PoolEventName, PoolListener } from './contract/events.ts'
export type { AcquireOptions, Lease } from './contract/lease.ts'
export type { AcquireHookContext, HookContext, PoolOptions, ResizeOptions } from './contract/options.ts'
export type { Permits } from './contract/permits.ts'
export type { CloseOptions, CloseReport, Pool, ReadyOptions } from './contract/pool.ts'
export type {
  Queryable,
  QueryOptions,
  Session,
  SessionOptions,
  SqlFragment,
  SqlLease,
  SqlPool,
  SqlText,
  StreamOptions,
  Transaction,
  TransactionOptions,
} from './contract/sql.ts'
export type {
  BeginOptions,
  Isolation,
  QueryResult,
  Row,
  RowForm,
  SavepointMove,
  SqlDialect,
  SqlDriver,
  TypeParsers,
} from './contract/sql-driver.ts'
export type { AcquirePhase, SlotState } from './contract/state.ts'
export type { CloseReason, Gauges, PoolStats, Snapshot, Summary } from './contract/stats.ts'
export { createPool } from './create-pool.ts'
export { type Closable, type ClosingSignal, closeOnSignal } from './pool/close-on-signal.ts'
export { createResourcePool } from './pool/create-resource-pool.ts'
export { sharedPool } from './pool/shared-pool.ts'
export { sql } from './sql/statement.ts'
