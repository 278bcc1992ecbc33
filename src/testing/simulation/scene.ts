import type { PoolOptions } from '../../contract/options.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { FakeConnection } from '../fake-connection.ts'
import { FakeServer } from '../fake-server.ts'
import { uniform } from '../latency.ts'
import { Random } from '../random.ts'
import { promiseJobs, type VirtualClock } from '../virtual-clock.ts'
import { Attempts } from './attempts.ts'
import { Audit } from './audit.ts'
import { Budget } from './budget.ts'
import { Database } from './database.ts'
import type { Orders } from './fitness.ts'
import { Lateness } from './lateness.ts'
import { Law } from './law.ts'
import { Leaks } from './leaks.ts'
import { Ledger } from './ledger.ts'
import { PacedClock } from './paced-clock.ts'
import type { Plan } from './plan.ts'
import { capOf, type PoolMakers, Stage } from './stage.ts'
import { type Expectations, Tickets } from './tickets.ts'
import { Trace } from './trace.ts'
import { Traffic } from './traffic.ts'
import { watchedDriver } from './watched-driver.ts'
import { type HookName, type PhaseFacts, type SignalledHook, watchedHook } from './watched-hooks.ts'
import { Weather } from './weather.ts'

/** The pool of a plan, its server, and all who watch them. */
export function setScene(plan: Plan, { makers, lines }: { makers: PoolMakers; lines: boolean }): Stage {
  const law = new Law(() => clock.now())
  const clock = new PacedClock({ random: new Random(plan.poolSeed), settle: promiseJobs }, () =>
    law.breaks('time passes', 'something waits for it within one callback', 0),
  )
  const now = () => clock.now()
  const trace = new Trace(now, { lines })
  const random = new Random(plan.serverSeed)
  const server = new FakeServer({
    clock,
    random: random.fork(),
    latencyMs: uniform(...plan.latencyMs),
    maxConnections: plan.serverMax,
    record: ({ operation, connection, sql }) => trace.note(operation, connection, sql),
  })
  let stage: Stage | undefined
  const lateness = new Lateness()
  const facts = {
    law,
    now,
    step: () => stage?.steps ?? 0,
    lateness,
    limitMs: limitsOf(plan),
    wasClosed: () => ledger.wasClosed,
  }
  const leaks = new Leaks(facts, lateness, plan.options.leakThresholdMs ?? 0)
  const ledger: Ledger = new Ledger(facts, ordersOf(plan), leaks)
  const attempts = new Attempts(facts, ledger, lateness)
  const traffic = new Traffic(facts, ledger)
  const tickets = new Tickets(facts, expectationsOf(plan, ledger))
  const budget = plan.permits === undefined ? undefined : new Budget(plan.permits)
  const hook = (name: HookName) => watchedHook(name, server.hook(name), ledger, facts)
  const poolOptions = optionsFor(plan, { clock, hook, budget })
  const database = new Database(server, law)
  const watchers = { ledger, attempts, traffic, trace, facts }
  const driver = watchedDriver(server.driver({ without: plan.without }), watchers)
  const sql: SqlPool<FakeConnection> | undefined = plan.sql
    ? makers.createPool(driver, poolOptions)
    : undefined
  const pool: Pool<FakeConnection> = sql ?? makers.createResourcePool(driver, poolOptions)
  const audit = new Audit(pool, { ledger, attempts, leaks, plan, stage: () => stage })
  const weather = new Weather(server, random.fork())
  stage = new Stage({
    plan,
    clock,
    server,
    weather,
    law,
    ledger,
    tickets,
    trace,
    database,
    traffic,
    attempts,
    audit,
    budget,
    pool,
    sql,
    options: { ...plan.options } as PoolOptions<FakeConnection>,
  })
  return stage
}

function ordersOf({ options, hooks, without, listens, sql }: Plan): Orders {
  const checks = !without.includes('isAlive')
  return {
    cap: capOf(options),
    validateAfterIdleMs: options.validateAfterIdleMs ?? 1_000,
    maxLifetimeMs: options.maxLifetimeMs ?? 1_800_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 600_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    maxUses: options.maxUses ?? Number.POSITIVE_INFINITY,
    canCheck: checks,
    checksByAge: checks && (listens || !sql),
    seesDirt: !without.includes('isDirty') || (!without.includes('reset') && options.reset !== 'none'),
    prepares: hooks.onAcquire,
    hooks,
    seesUse: listens || !sql,
  }
}

function limitsOf({ options }: Plan): PhaseFacts['limitMs'] {
  const { validateTimeoutMs = 5_000, resetTimeoutMs = 5_000, connectTimeoutMs = 10_000 } = options
  return {
    // A full reset runs it as well.
    onConnect: Math.max(connectTimeoutMs, resetTimeoutMs),
    onAcquire: validateTimeoutMs,
    onRelease: resetTimeoutMs,
    isAlive: validateTimeoutMs,
  }
}

function expectationsOf({ options, sql }: Plan, ledger: Ledger): Expectations {
  return {
    closed: false,
    mayBeFull: options.maxWaiting !== undefined,
    mayShed: options.overload === 'shed',
    mayBeRefused: () => !ledger.isOpen,
    knowsAll: !sql,
  }
}

function optionsFor(
  { options, hooks, resetsItself }: Plan,
  parts: { clock: VirtualClock; hook: (name: HookName) => SignalledHook; budget: Budget | undefined },
): PoolOptions<FakeConnection> {
  const { clock, hook, budget } = parts
  const all: PoolOptions<FakeConnection> = { ...(options as PoolOptions<FakeConnection>), clock }
  if (budget !== undefined) all.permits = budget
  if (hooks.onConnect) all.onConnect = hook('onConnect')
  if (hooks.onAcquire) all.onAcquire = hook('onAcquire')
  if (hooks.onRelease) all.onRelease = hook('onRelease')
  if (resetsItself)
    all.reset = async (connection) => void (await connection.send('discard all', { operation: 'reset' }))
  return all
}
