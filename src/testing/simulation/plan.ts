import type { PoolOptions } from '../../contract/options.ts'
import type { FakeCapability } from '../fake-driver.ts'
import { Random } from '../random.ts'

/** What a run is made of. All of it follows from the seed. */
export interface Plan {
  readonly seed: number
  /** A pool for SQL, or for anything. */
  readonly sql: boolean
  readonly options: PoolOptions<never>
  readonly hooks: { onConnect: boolean; onAcquire: boolean; onRelease: boolean }
  /** The reset is a function of the user's. */
  readonly resetsItself: boolean
  readonly permits: number | undefined
  readonly without: readonly FakeCapability[]
  readonly latencyMs: readonly [number, number]
  /** Connections that the server takes. */
  readonly serverMax: number
  /** Milliseconds between two acts, on average. */
  readonly pace: number
  /** How much of the weather is bad. */
  readonly trouble: number
  /** How often a long time passes between acts. */
  readonly lulls: number
  /** Closed in the middle of everything, by an act. */
  readonly closesEarly: boolean
  /** How much each kind of act is worth in this run. */
  readonly weights: readonly number[]
  /** Where the pool's chance and the server's come from. */
  readonly poolSeed: number
  readonly serverSeed: number
  /** The pool's own account is looked at every so many steps. */
  readonly auditEvery: number
  /** Somebody listens to the pool's events of the hot path. */
  readonly listens: boolean
  /** The longest time that passes between acts. */
  readonly lullMs: number
}

const { POSITIVE_INFINITY: NEVER } = Number
/** About how long the connections of one act are out together: with it, acts come as often as a pool can bear. */
const ACT_MS = 10

/** Draws a run from its seed. `kinds` is how many kinds of act there are. */
export function drawPlan(seed: number, kinds: number): Plan {
  const random = new Random(seed)
  const sql = random.chance(0.65)
  const without = drawWithout(random, sql)
  const resetsItself = random.chance(0.08)
  const hooks = {
    onConnect: random.chance(0.25),
    onAcquire: random.chance(0.15),
    onRelease: random.chance(0.12),
  }
  const options = drawOptions(random, new Set(without))
  // Where nobody can tell a transaction that was left open, and nothing ends it, each caller must end its own.
  const keepsDirt = without.includes('reset') || options.reset === 'none'
  if (sql && keepsDirt && without.includes('isDirty')) without.splice(without.indexOf('isDirty'), 1)
  const fastest = random.pick([0.05, 0.2, 1, 5])
  return {
    seed,
    sql,
    options,
    hooks,
    resetsItself,
    permits: random.chance(0.12) ? random.integer(1, 8) : undefined,
    without,
    latencyMs: [fastest, fastest * random.pick([1, 2, 10])],
    serverMax: random.chance(0.25) ? random.integer(1, 8) : NEVER,
    pace: ACT_MS / (options.max ?? 10) / random.pick([0.1, 0.3, 0.5, 0.8, 2]),
    trouble: random.pick([0, 0.02, 0.05, 0.1, 0.2]),
    lulls: random.pick([0, 0, 0.002, 0.01]),
    closesEarly: random.chance(0.15),
    // A third of the acts does not occur at all: what is rare beside everything is common beside little.
    weights: Array.from({ length: kinds }, () => (random.chance(0.35) ? 0 : random.between(0.1, 1))),
    poolSeed: random.integer(0, Number.MAX_SAFE_INTEGER),
    serverSeed: random.integer(0, Number.MAX_SAFE_INTEGER),
    auditEvery: random.pick([4, 32, 128, 128, 128, 128]),
    listens: random.chance(0.5),
    lullMs: lullOf(options),
  }
}

/** Long for every period of the pool's, but not so long that keeping `min` open becomes all that happens. */
function lullOf({
  idleTimeoutMs = NEVER,
  maxLifetimeMs = NEVER,
  keepaliveMs = 0,
}: PoolOptions<never>): number {
  return Math.min(90_000, 50 * Math.min(idleTimeoutMs, maxLifetimeMs, keepaliveMs || NEVER))
}

function drawWithout(random: Random, sql: boolean): FakeCapability[] {
  const optional: FakeCapability[] = ['isAlive', 'isDirty', 'reset', 'classify', 'confirmStale', 'onLost']
  if (sql) optional.push('cancel', 'pipeline', 'preparesByName', 'isFarewell')
  return random.chance(0.7) ? [] : optional.filter(() => random.chance(0.25))
}

function drawOptions(random: Random, without: ReadonlySet<FakeCapability>): PoolOptions<never> {
  const max = random.chance(0.1) ? random.integer(10, 30) : random.integer(1, 8)
  const min = random.chance(0.3) ? random.integer(0, max) : 0
  const resets = without.has('reset')
    ? (['rollback', 'none'] as const)
    : (['rollback', 'rollback', 'rollback', 'rollback', 'rollback', 'full', 'none'] as const)
  const options: PoolOptions<never> = {
    name: 'simulated',
    max,
    min,
    maxOverflow: random.chance(0.2) ? random.integer(1, 3) : 0,
    acquireTimeoutMs: random.pick([20, 200, 1_000, 5_000, 30_000]),
    connectTimeoutMs: random.pick([20, 200, 5_000]),
    validateTimeoutMs: random.pick([10, 100, 1_000]),
    resetTimeoutMs: random.pick([10, 100, 1_000]),
    closeTimeoutMs: random.pick([10, 100, 1_000]),
    idleTimeoutMs: random.pick([20, 500, 60_000, NEVER]),
    maxLifetimeMs: random.pick([300, 3_000, 60_000, NEVER]),
    lifetimeJitter: random.pick([0, 0.25, 1]),
    maxUses: random.chance(0.2) ? random.integer(1, 30) : NEVER,
    validateAfterIdleMs: random.pick([0, 5, 5, 1_000, 1_000, 1_000, 1_000, NEVER]),
    keepaliveMs: random.chance(0.2) && !without.has('isAlive') ? random.pick([30, 300]) : 0,
    idleOrder: random.pick(['lifo', 'fifo']),
    reset: random.pick(resets),
    leakThresholdMs: random.chance(0.1) ? random.pick([20, 500]) : 0,
    multiplex: random.chance(0.75) ? 'auto' : 'off',
    overload: random.chance(0.12) ? 'shed' : 'queue',
    exitWhenIdle: random.chance(0.15),
  }
  if (random.chance(0.15)) options.maxWaiting = random.integer(0, 10)
  if (random.chance(0.15)) options.maxIdle = random.integer(min, max)
  return options
}

/** The chance of one act: the same whatever acts were dropped before it. */
export function actRandom(seed: number, index: number): Random {
  const low = (Math.imul(index + 1, 0x9e3779b1) ^ (seed % TWO_32)) >>> 0
  const high = (Math.floor(seed / TWO_32) ^ Math.imul(index + 1, 0x85ebca6b)) & 0x1fffff
  return new Random(high * TWO_32 + low)
}

const TWO_32 = 2 ** 32
