import type { PoolOptions } from '../../src/contract/options.ts'
import { resolveOptions } from '../../src/contract/resolve-options.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Ports } from '../../src/engine/ports.ts'
import type { Slot } from '../../src/engine/slot.ts'
import { Waiter } from '../../src/engine/waiter.ts'

export type TestSlot = Slot<object, object>

interface Surroundings {
  /** The driver has a liveness check. Default true. */
  canCheck?: boolean
  /** The clock knows the time of day. */
  wall?: () => number
  /** What the clock shows to a glance. */
  glance?: () => number
  /** Where jitter comes from; undefined = the platform's own. Default always 1. */
  chance?: (() => number) | undefined
}

interface Wish {
  priority?: number
  affinity?: unknown
  shares?: boolean
  timeoutMs?: number
  kind?: Waiter['kind']
}

/** What the engine asks for, written down: the connection's number where one is meant. */
function recorder() {
  const calls: string[] = []
  const note =
    (what: string) =>
    (slot: TestSlot, why?: unknown): void =>
      void calls.push([what, slot.id, ...(typeof why === 'string' ? [why] : [])].join(' '))
  return { calls, note }
}

/** The engine alone: no promise, no driver; time and outcomes are what the test says. */
export function engineAlone(options: PoolOptions<object> = {}, around: Surroundings = {}) {
  let now = 0
  const { calls, note } = recorder()
  const wakes: number[] = []
  const settled = new Map<Waiter, TestSlot | string>()
  const listeners: {
    granted?: (waiter: Waiter) => boolean
    called?: (what: string) => void
    ready?: () => void
  } = {}
  const told =
    (what: string) =>
    (slot: TestSlot, why?: unknown): void => {
      note(what)(slot, why)
      listeners.called?.(what)
    }
  const ports: Ports<object, object> = {
    connect: told('connect'),
    abortConnect: told('abort connect'),
    check: told('check'),
    prepare: told('prepare'),
    abortPhase: told('abort phase'),
    grant: (waiter, slot) => {
      note('grant')(slot)
      if (listeners.granted?.(waiter) === false) return false
      settled.set(waiter, slot)
      return true
    },
    refuse: (waiter, why) => void settled.set(waiter, why),
    ready: (waiter) => {
      settled.set(waiter, 'ready')
      listeners.ready?.()
    },
    revoke: told('revoke'),
    close: told('close'),
    gone: told('gone'),
    idle: () => {},
    leak: told('leak'),
    closed: () => void calls.push('closed'),
    wake: (at) => void wakes.push(at),
  }
  const driver = { name: 'none', connect: async () => ({}), close: () => {}, isAlive: async () => true }
  const clock = {
    now: () => now,
    after: () => ({ cancel: () => {}, ref: () => {}, unref: () => {} }),
    afterPoll: () => {},
    ...(around.wall && { wall: around.wall }),
    ...(around.glance && { glance: around.glance }),
    ...('chance' in around ? {} : { random: () => 1 }),
  }
  const resolved = resolveOptions<object>(options, driver)
  const engine = new Engine(resolved, { ports, clock, canCheck: around.canCheck ?? true })
  const slot = (id: number): TestSlot => {
    for (const one of engine.state.slots) if (one.id === id) return one
    throw new Error(`there is no connection ${id}`)
  }
  const wait = ({ timeoutMs = 1_000, kind = 'lease', ...wish }: Wish = {}): Waiter => {
    const waiter = Object.assign(new Waiter(kind, now, now + timeoutMs), wish)
    engine.join(waiter)
    return waiter
  }
  const connected = (id: number): TestSlot => {
    const one = slot(id)
    one.connection = {}
    engine.connected(one)
    return one
  }
  return {
    engine,
    state: engine.state,
    listeners,
    wakes,
    settled,
    wait,
    slot,
    connected,
    /** What the engine has asked for since the last look. */
    asked: () => calls.splice(0),
    /** A connection that has just been opened and lent. */
    lent: (wish: Wish = {}) => {
      const waiter = wait(wish)
      if (settled.has(waiter)) return settled.get(waiter) as TestSlot
      let newest = 0
      for (const one of engine.state.slots) newest = Math.max(newest, one.id)
      connected(newest)
      return settled.get(waiter) as TestSlot
    },
    gone: (one: TestSlot) => engine.gone(one),
    pass: (ms: number) => {
      now += ms
    },
    /** Time passes, and the engine is woken. */
    tick: (ms = 0) => {
      now += ms
      engine.tick(0)
    },
    now: () => now,
    options: (change: PoolOptions<object>) => resolveOptions<object>({ ...options, ...change }, driver),
  }
}
