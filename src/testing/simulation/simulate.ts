import { createPool } from '../../create-pool.ts'
import { createResourcePool } from '../../pool/create-resource-pool.ts'
import type { Random } from '../random.ts'
import { KINDS, Repertoire } from './acts.ts'
import { closePool } from './ending.ts'
import { finale } from './finale.ts'
import type { Violation } from './law.ts'
import { actRandom, drawPlan, type Plan } from './plan.ts'
import { setScene } from './scene.ts'
import type { PoolMakers, Stage } from './stage.ts'

export interface SimulateOptions {
  /** Calls by callers and events of the server, after which no more is begun. Default 10 000. */
  operations?: number
  /** Makes the pools: those of another copy of the library. */
  makers?: PoolMakers
  /** Acts that are left out. */
  without?: ReadonlySet<number>
  /** No act from this one on. */
  upTo?: number
  /** Keeps what happens as lines. */
  lines?: boolean
}

export interface SimulationResult {
  readonly seed: number
  readonly operations: number
  /** The first rule that was broken, if any was. */
  readonly violation: Violation | undefined
  /** Of everything that happened: the same whenever and wherever the seed is run. */
  readonly hash: string
  /** How many acts there were. */
  readonly acts: number
  readonly plan: Plan
  /** What each act was, and what happened; only when asked for. */
  readonly lines: readonly string[]
}

const DEFAULT_OPERATIONS = 10_000
/** The pool's account is looked at at least as often. */
const AUDIT_MS = 1_000
/** So many come too late for a pool that was closed. */
const MOST_LATE = 100
const { setImmediate } = globalThis
const { nextTick } = process
const SETTLED = Promise.resolve()

/** Plays one seed: what callers, servers and networks do to a pool, and what must hold all the time. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<SimulationResult> {
  const plan = drawPlan(seed, KINDS.length)
  const { makers = { createPool, createResourcePool }, lines = false } = options
  const stage = setScene(plan, { makers, lines })
  const { law, trace } = stage.parts
  const onUnhandled = (reason: unknown) => law.breaks('no unhandled rejection', String(reason))
  const onUncaught = (error: unknown) => law.breaks('no uncaught exception', String(error))
  process.on('unhandledRejection', onUnhandled)
  process.on('uncaughtException', onUncaught)
  // Most of the time would go into stacks that nobody looks at.
  const { stackTraceLimit } = Error
  if (options.lines !== true) Error.stackTraceLimit = 0
  const play = new Play(stage, options)
  try {
    await play.run()
    // Rejections that nobody has handled are told when the event loop turns.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', onUnhandled)
    process.off('uncaughtException', onUncaught)
    Error.stackTraceLimit = stackTraceLimit
  }
  return {
    seed,
    operations: play.operations,
    violation: law.violation,
    hash: trace.hash,
    acts: play.acts,
    plan,
    lines: trace.lines ?? [],
  }
}

/** One act after the other, each on its own; then the finale. */
class Play {
  readonly #stage: Stage
  readonly #repertoire: Repertoire
  readonly #options: SimulateOptions
  readonly #most: number
  acts = 0
  /** Acts after the pool was closed. */
  #late = 0
  #over = false
  #auditedAt = 0

  constructor(stage: Stage, options: SimulateOptions) {
    this.#stage = stage
    this.#options = options
    this.#most = options.operations ?? DEFAULT_OPERATIONS
    this.#repertoire = new Repertoire(stage.parts.plan)
  }

  get operations(): number {
    return this.#stage.calls + this.#stage.parts.server.delivered
  }

  /** Lets the clock run, step by step: after each all promises settle, and the laws are looked after. */
  run(): Promise<void> {
    const { law } = this.#stage.parts
    this.#next()
    return new Promise((resolve) => {
      const settle = () => nextTick(step)
      const step = () => {
        if (!law.broken) this.#inspect()
        if (this.#over || law.broken) return resolve()
        if (!this.#step()) {
          law.breaks('something is left to happen', 'nothing is under way, and the run is not over')
          return resolve()
        }
        // Comes after all that the step has set off; Node's own `queueMicrotask` costs more than what it runs here.
        SETTLED.then(settle)
      }
      settle()
    })
  }

  #step(): boolean {
    const { clock, law } = this.#stage.parts
    try {
      return clock.step()
    } catch (error) {
      law.breaks('callbacks do not throw', error instanceof Error ? `${error.stack}` : String(error))
      return true
    }
  }

  #inspect(): void {
    const stage = this.#stage
    const { tickets, audit, plan } = stage.parts
    stage.steps++
    // After a while in which little happened, too: then there was nothing else to set right what was forgotten.
    const isDue = stage.steps % plan.auditEvery === 0 || stage.now - this.#auditedAt > AUDIT_MS
    if (isDue || stage.auditNow) {
      stage.auditNow = false
      this.#auditedAt = stage.now
      audit.compare(stage)
    }
    if (stage.steps % 64 === 0) tickets.inspect()
    if (tickets.expected.closed) tickets.closed()
  }

  #next(): void {
    const { plan, clock } = this.#stage.parts
    const { upTo = Number.POSITIVE_INFINITY } = this.#options
    if (this.acts >= upTo || this.operations >= this.#most || this.#late >= MOST_LATE) {
      clock.io(0, () => void finale(this.#stage).then(() => (this.#over = true)))
      return
    }
    const index = this.acts++
    const random = actRandom(plan.seed, index)
    const lull = random.chance(plan.lulls)
    const wait = lull ? random.next() * plan.lullMs : random.next() * 2 * plan.pace
    if (this.#stage.ending !== undefined) this.#late++
    const { hushMs } = this.#stage
    this.#stage.hushMs = 0
    clock.io(wait + hushMs, () => {
      if (this.#options.without?.has(index) !== true) this.#act(index, random)
      this.#next()
    })
  }

  #act(index: number, random: Random): void {
    const stage = this.#stage
    const { plan, trace, law } = stage.parts
    const isClosing = stage.ending !== undefined
    if (plan.closesEarly && random.chance(isClosing ? 0.05 : 0.001)) {
      trace.note('close', index)
      closePool(stage, random.pick([0, 10, 500]))
      return
    }
    const { name, label, act } = this.#repertoire.draw(random)
    trace.note(label, index)
    stage.running.set(index, name)
    const end = () => stage.running.delete(index)
    const fail = (error: unknown) => {
      end()
      law.breaks(
        'acts know what to expect',
        `${name}: ${error instanceof Error ? error.stack : String(error)}`,
      )
    }
    try {
      const under = act(stage, index, random)
      if (under === undefined) end()
      else under.then(end, fail)
    } catch (error) {
      fail(error)
    }
  }
}
