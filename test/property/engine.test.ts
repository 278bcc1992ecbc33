import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PoolOptions } from '../../src/contract/options.ts'
import { resizeOptions } from '../../src/contract/resolve-options.ts'
import { noSlots, type Slot } from '../../src/engine/slot.ts'
import { EngineModel } from '../support/engine-model.ts'

interface Step {
  what: (typeof KINDS)[number]
  /** Which of several. */
  which: number
  ms: number
  how: number
}

const KINDS = [
  ...([
    'acquire',
    'acquire',
    'acquire',
    'take',
    'leave',
    'ready',
    'giveBack',
    'giveBack',
    'giveBack',
  ] as const),
  ...([
    'connect',
    'connect',
    'check',
    'hook',
    'reset',
    'close',
    'close',
    'lose',
    'pass',
    'pass',
    'late',
  ] as const),
  ...(['resize', 'refresh', 'stale', 'suspend', 'resume', 'checkAhead', 'sleep', 'permits'] as const),
] as const

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom(...KINDS),
    which: fc.nat(20),
    ms: fc.nat(400),
    how: fc.nat(5),
  }),
  { minLength: 5, maxLength: 120 },
)

const options = fc.record<PoolOptions>({
  max: fc.integer({ min: 1, max: 4 }),
  min: fc.integer({ min: 0, max: 1 }),
  maxOverflow: fc.integer({ min: 0, max: 2 }),
  maxIdle: fc.constantFrom(undefined, 1, 2),
  maxUses: fc.constantFrom(2, Number.POSITIVE_INFINITY),
  idleTimeoutMs: fc.constantFrom(150, 600_000),
  maxLifetimeMs: fc.constantFrom(500, Number.POSITIVE_INFINITY),
  validateAfterIdleMs: fc.constantFrom(0, 50, Number.POSITIVE_INFINITY),
  keepaliveMs: fc.constantFrom(0, 100),
  leakThresholdMs: fc.constantFrom(0, 120),
  connectTimeoutMs: fc.constant(200),
  validateTimeoutMs: fc.constant(200),
  resetTimeoutMs: fc.constant(200),
  closeTimeoutMs: fc.constant(200),
  idleOrder: fc.constantFrom('lifo', 'fifo'),
  onAcquire: fc.constantFrom(undefined, () => {}),
})

function pick<T>(from: Iterable<T>, which: number): T | undefined {
  const all = [...from]
  return all[which % Math.max(1, all.length)]
}

function on<T>(from: Iterable<T>, which: number, act: (one: T) => void): void {
  const one = pick(from, which)
  if (one !== undefined) act(one)
}

const GIVE_BACK = ['release', 'release', 'release', 'reset', 'discard', 'detach'] as const
const CONNECT_ENDS = ['succeeds', 'succeeds', 'succeeds', 'fails', 'hook fails', 'permanent'] as const

const MOVES: Record<Step['what'], (model: EngineModel, step: Step) => void> = {
  acquire: (model, { ms, how }) => {
    model.acquire(ms + 1, how === 5 ? 1 : 0, how === 4 ? 'familiar' : undefined)
  },
  ready: (model, { ms }) => model.askReady(ms + 1),
  take: (model) => model.take(),
  leave: (model, { which }) => on(model.callers, which, (caller) => model.leave(caller)),
  giveBack: (model, { which, how }) =>
    on(model.held, which, (slot) => model.giveBack(slot, GIVE_BACK[how] ?? 'release')),
  connect: (model, { which, how }) =>
    on(model.connecting, which, (slot) => model.endConnect(slot, CONNECT_ENDS[how] ?? 'fails')),
  check: (model, { which, how }) => on(model.checking, which, (slot) => model.endCheck(slot, how !== 0)),
  hook: (model, { which, how }) => on(model.preparing, which, (slot) => model.endHook(slot, how !== 0)),
  reset: (model, { which, how }) => on(model.resetting, which, (slot) => model.endReset(slot, how !== 0)),
  close: (model, { which }) => on(model.closing, which, (slot) => model.endClose(slot)),
  lose: ({ engine }, { which }) => on(engine.state.slots, which, (slot) => engine.lost(slot)),
  pass: (model, { ms }) => model.pass(ms, 'on time'),
  late: (model, { ms }) => model.pass(ms, 'late'),
  resize: (model, { which, how }) => {
    const { options } = model.engine.state
    const max = 1 + (which % 4)
    model.cap = Math.max(model.cap, max + options.maxOverflow)
    model.engine.resize(resizeOptions(options, { max, min: Math.min(how, max, 1) }, DRIVER))
  },
  refresh: ({ engine }) => engine.refresh(),
  stale: ({ engine }) => engine.stale(engine.state.generation),
  suspend: ({ engine }) => engine.suspend(),
  resume: ({ engine }) => engine.resume(),
  checkAhead: ({ engine }) => engine.checkAhead(),
  sleep: (model) => {
    model.wall += 60_000
  },
  permits: (model, { how }) => {
    model.permits.free = how === 0 ? 1 : Number.POSITIVE_INFINITY
    for (const wake of model.permits.wakes) wake()
  },
}

const DRIVER = {
  name: 'model',
  connect: () => Promise.reject(new Error('never called')),
  close: () => {},
  isAlive: () => true,
}

/** What is true after every step. */
function assertInvariants(model: EngineModel): void {
  const { state } = model.engine
  const slots = [...state.slots]
  const counted = noSlots()
  for (const slot of slots) {
    if (slot.state === 'gone') throw new Error('a connection that is gone is still there')
    counted[slot.state]++
  }
  expect(state.counts).toEqual(counted)
  expect(state.total).toBe(slots.length)
  expect(slots.length).toBeLessThanOrEqual(model.cap)
  // Nobody but the holder has a leased connection, and the idle list holds the idle ones, once each.
  expect(slots.filter((slot) => slot.state === 'leased').every((slot) => model.held.has(slot))).toBe(true)
  expect(counted.leased).toBe(model.held.size)
  const listed: Slot[] = []
  for (let slot = state.idle.coldest as Slot | undefined; slot !== undefined; slot = slot.warmer)
    listed.push(slot)
  expect(new Set(listed)).toEqual(new Set(slots.filter((slot) => slot.state === 'idle')))
  expect([listed.length, state.idle.size]).toEqual([counted.idle, counted.idle])
  // Everybody waits, or has come to one end.
  const waiting = model.callers.filter((caller) => caller.ends.length === 0)
  expect(model.callers.filter((caller) => caller.ends.length > 1)).toEqual([])
  expect(waiting.length).toBe(state.queue.size + state.preparing + state.readies.size)
  expect(waiting.filter((caller) => caller.state === 'preparing').length).toBe(state.preparing)
  // Nobody waits beside a connection that could be had at once.
  if (state.queue.size > 0 && !state.suspended && !state.closing) {
    const now = model.now
    const usable = listed.filter(
      (slot) =>
        slot.expiresAt > now &&
        slot.provenAt > state.suspectAt &&
        now - slot.aliveAt < state.options.validateAfterIdleMs,
    )
    expect(usable).toEqual([])
  }
  expect(model.permits.taken - model.permits.given).toBe(slots.length)
}

test('whatever happens in whatever order, the engine’s books are right, and a closed pool ends empty', () => {
  fc.assert(
    fc.property(options, steps, fc.boolean(), (given, sequence, hurried) => {
      const model = new EngineModel(given.maxIdle === undefined ? { ...given, maxIdle: undefined } : given)
      for (const step of sequence) {
        MOVES[step.what](model, step)
        assertInvariants(model)
      }
      model.engine.close(model.now + (hurried ? 0 : 50))
      assertInvariants(model)
      expect(model.callers.every((caller) => caller.ends.length === 1)).toBe(true)
      if (!hurried) for (const slot of [...model.held]) model.giveBack(slot, 'reset')
      for (const slot of [...model.closing]) model.endClose(slot)
      assertInvariants(model)
      // What does not end of itself is written off.
      model.pass(1000, 'on time')
      assertInvariants(model)
      expect(model.engine.state.slots.size).toBe(0)
      expect(model.closedTimes).toBeGreaterThan(0)
      expect(model.wakeAt).toBe(Number.POSITIVE_INFINITY)
    }),
    { numRuns: 400 },
  )
})

test('when the world calms down, max callers are served at once', () => {
  fc.assert(
    fc.property(options, steps, (given, sequence) => {
      const model = new EngineModel(given)
      for (const step of sequence) MOVES[step.what](model, step)
      model.permits.free = Number.POSITIVE_INFINITY
      for (const caller of model.callers) model.leave(caller)
      for (const slot of [...model.held]) model.giveBack(slot, 'release')
      model.engine.resume()
      const calm = () => {
        for (const slot of [...model.connecting]) model.endConnect(slot, 'succeeds')
        for (const slot of [...model.checking]) model.endCheck(slot, true)
        for (const slot of [...model.preparing]) model.endHook(slot, true)
        for (const slot of [...model.resetting]) model.endReset(slot, true)
        for (const slot of [...model.closing]) model.endClose(slot)
      }
      const { max } = model.engine.state.options
      for (let n = 0; n < 30; n++, calm()) model.pass(100, 'on time')
      const callers = Array.from({ length: max }, () => model.acquire(10_000, 0, undefined))
      for (let n = 0; n < 30; n++, calm()) model.pass(100, 'on time')
      expect(callers.map(({ ends }) => ends)).toEqual(Array(max).fill(['granted']))
      assertInvariants(model)
    }),
    { numRuns: 200 },
  )
})
