import type { Timer } from '../contract/clock.ts'
import type { Driver } from '../contract/driver.ts'
import type { SqlDriver } from '../contract/sql-driver.ts'
import {
  type Answer,
  Answers,
  type FakeAnswer,
  type FakeStatement,
  type StatementMatch,
} from './fake-answers.ts'
import type { FakeConnection } from './fake-connection.ts'
import { type FakeDriverOptions, resourceDriver, sqlDriver } from './fake-driver.ts'
import { fakeErrors } from './fake-error.ts'
import { type Behaviour, type BehaviourOf, type FakeOperation, Script } from './fake-script.ts'
import { FakeSockets } from './fake-sockets.ts'
import { type IoClock, realTime } from './io-clock.ts'
import { drawLatency, type Latency } from './latency.ts'
import { Random } from './random.ts'

export interface FakeServerOptions {
  /** A `VirtualClock`, for tests that do not sleep. Default: real time. */
  clock?: IoClock
  /** Connections that the server takes; one more is refused as `exhausted`. Default: any number. */
  maxConnections?: number
  /** How long every answer takes, there and back. Default 0. */
  latencyMs?: Latency
  /** How calls go, by kind, where it is not as usual. */
  script?: Partial<Record<FakeOperation, BehaviourOf>>
  /** A statement that `answer` was told nothing about fails, instead of giving no rows. Default false. */
  strict?: boolean
  /** A failed statement fails its transaction, as on PostgreSQL (the default), or leaves it as it was. */
  abortsTransactions?: boolean
  /** Where random latencies come from. Default: one that starts from seed 0. */
  random?: Random
  /** Is told of every call, in place of `log`; `null` = nobody is. */
  record?: ((entry: FakeLogEntry) => void) | null
}

export interface FakeLogEntry {
  readonly at: number
  readonly operation: FakeOperation | 'kill' | 'vanish' | 'aborted'
  /** The connection's number; 0 for a connect, which has none yet. */
  readonly connection: number
  readonly sql: string
}

/**
 * A database server that exists in memory only, and the truth about what a pool does to it: how many connections there
 * are, what is sent to them, and what should never have been done.
 */
export class FakeServer {
  readonly clock: IoClock
  readonly random: Random
  readonly abortsTransactions: boolean
  maxConnections: number
  latencyMs: Latency
  /** Where new connections end up: on a server that takes writes, or on one that does not. */
  standby = false
  /** Every call, unless `record` is given. */
  readonly log: FakeLogEntry[] = []
  /** What a correct pool never does. */
  readonly misuse: string[] = []
  readonly #record: ((entry: FakeLogEntry) => void) | null
  readonly #script = new Script()
  readonly #answers: Answers
  readonly #sockets = new FakeSockets(this)
  #delivered = 0
  #held: (() => void)[] | undefined

  constructor(options: FakeServerOptions = {}) {
    const { clock = realTime, maxConnections = Number.POSITIVE_INFINITY, latencyMs = 0 } = options
    this.clock = clock
    this.maxConnections = maxConnections
    this.latencyMs = latencyMs
    this.abortsTransactions = options.abortsTransactions ?? true
    this.random = options.random ?? new Random(0)
    this.#record = options.record === undefined ? (entry) => this.log.push(entry) : options.record
    this.#answers = new Answers({ strict: options.strict ?? false })
    for (const [operation, behaviour] of Object.entries(options.script ?? {})) {
      this.#script.always(operation as FakeOperation, behaviour)
    }
  }

  /** For `createPool`. */
  driver(options?: FakeDriverOptions): SqlDriver<FakeConnection> {
    return sqlDriver(this, options)
  }

  /** For `createResourcePool`: the same without SQL. */
  resourceDriver(options?: FakeDriverOptions): Driver<FakeConnection> {
    return resourceDriver(this, options)
  }

  /** A hook for the pool's options, which goes as scripted under its name: `onConnect: server.hook('onConnect')`. */
  hook(operation: 'onConnect' | 'onAcquire' | 'onRelease'): (connection: FakeConnection) => Promise<void> {
    return async (connection) => {
      await connection.send('', { operation })
    }
  }

  /** What these statements are answered; what is said last comes first. */
  answer(match: StatementMatch, answer: Answer | ((statement: FakeStatement) => Answer)): this {
    this.#answers.add(match, answer)
    return this
  }

  /** How these calls go from now on; `undefined` = as usual. */
  always(operation: FakeOperation, behaviour: BehaviourOf | undefined): this {
    this.#script.always(operation, behaviour)
    return this
  }

  /** How the next of these calls go, one each. */
  next(operation: FakeOperation, ...behaviours: readonly Behaviour[]): this {
    this.#script.next(operation, behaviours)
    return this
  }

  /** Connections as the server counts them, those that log in and those that close included. */
  get open(): number {
    return this.#sockets.open.size
  }

  /** The most that there ever were at a time. */
  get peak(): number {
    return this.#sockets.peak
  }

  get connections(): readonly FakeConnection[] {
    return [...this.#sockets.open]
  }

  /** How many events have come from the server: answers and losses. */
  get delivered(): number {
    return this.#delivered
  }

  /** The server ends a connection and says so; without one, all of them. */
  kill(connection?: FakeConnection, error: unknown = fakeErrors.killed()): void {
    this.#sockets.kill(connection === undefined ? this.connections : [connection], error)
  }

  /** The other end disappears and nobody is told: what is sent then gets no answer, or (`reset`) an error. */
  vanish(connection?: FakeConnection, how: 'silence' | 'reset' = 'silence'): void {
    this.#sockets.vanish(connection === undefined ? this.connections : [connection], how)
  }

  /** Ends all connections and refuses new ones, until `up`. */
  down(): void {
    this.#sockets.down()
  }

  up(): void {
    this.#sockets.up()
  }

  /** Takes everything and answers nothing, until `thaw`. */
  freeze(): void {
    this.#held ??= []
  }

  thaw(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const run of held) this.deliver(0, run)
  }

  /** The sessions that exist are on a server that takes no more writes; new ones are where `standby` says. */
  demote(): void {
    for (const { session } of this.#sockets.open) session.standby = true
  }

  /** Forgets all prepared statements, as the server behind a pooler seems to. */
  forgetPrepared(): void {
    for (const { session } of this.#sockets.open) session.prepared.clear()
  }

  // The rest is for drivers and connections.

  connect(context: { signal: AbortSignal }): Promise<FakeConnection> {
    return this.#sockets.connect(context)
  }

  close(connection: FakeConnection): Promise<void> {
    return this.#sockets.close(connection)
  }

  cancel(connection: FakeConnection): Promise<void> {
    return this.#sockets.cancel(connection)
  }

  reply(statement: FakeStatement): FakeAnswer {
    return this.#answers.answer(statement)
  }

  now(): number {
    return this.clock.now()
  }

  draw(latency: Latency | undefined): number {
    return drawLatency(latency ?? this.latencyMs, this.random)
  }

  call(operation: FakeOperation, connection: number, sql: string): Behaviour {
    this.note(operation, connection, sql)
    return this.#script.draw(operation, connection)
  }

  note(operation: FakeLogEntry['operation'], connection: number, sql = ''): void {
    this.#record?.({ at: this.clock.now(), operation, connection, sql })
  }

  deliver(ms: number, run: () => void): Timer {
    return this.clock.io(ms, () => {
      if (this.#held !== undefined) {
        this.#held.push(run)
        return
      }
      this.#delivered++
      run()
    })
  }
}
