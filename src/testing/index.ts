export type {
  Address,
  NetworkFacts,
  Refusals,
  ServerFacts,
  Skip,
  SqlFacts,
  Subject,
} from './conformance/subject.ts'
export { type ConformanceCase, type ConformanceReport, type TestRunner, testDriver } from './conformance.ts'
export type { Answer, FakeAnswer, FakeStatement, StatementMatch } from './fake-answers.ts'
export type { FakeConnection } from './fake-connection.ts'
export type { FakeCapability, FakeDriverOptions } from './fake-driver.ts'
export { FakeError, fakeErrors } from './fake-error.ts'
export type { Behaviour, BehaviourOf, FakeCall, FakeOperation } from './fake-script.ts'
export { type FakeLogEntry, FakeServer, type FakeServerOptions } from './fake-server.ts'
export type { FakeSession, FakeTransactionState } from './fake-session.ts'
export {
  type Direction,
  type FaultConnection,
  FaultProxy,
  type FaultProxyCounts,
  type Faults,
} from './fault-proxy.ts'
export { type IoClock, realTime } from './io-clock.ts'
export { exponential, type Latency, longTail, uniform } from './latency.ts'
export { Random } from './random.ts'
export type { Violation } from './simulation/law.ts'
export type { Plan } from './simulation/plan.ts'
export { type SimulateOptions, type SimulationResult, simulate } from './simulation/simulate.ts'
export type { PoolMakers } from './simulation/stage.ts'
export { startTdsServer, type TdsLogEntry, TdsServer, type TdsServerOptions } from './tds/server.ts'
export { SqlError as TdsError, sqlErrors as tdsErrors } from './tsql/error.ts'
export { eventLoopTurn, promiseJobs, VirtualClock, type VirtualClockOptions } from './virtual-clock.ts'
