import { describe, expect, test } from 'vitest'
import { nextKeepalive, nextWake } from '../../../src/engine/agenda.ts'
import { Waiter } from '../../../src/engine/waiter.ts'
import { engineState, NEVER, NOW } from '../../support/engine-state.ts'

/** Nothing happens by itself, unless the test asks for it. */
const STILL = { idleTimeoutMs: NEVER, maxLifetimeMs: NEVER }

function scene(options: Parameters<typeof engineState>[0] = {}) {
  const built = engineState({ ...STILL, ...options })
  return { ...built, wake: (now = NOW) => nextWake(built.state, now) }
}

describe('the engine wakes', () => {
  test('never, where nothing is under way', () => {
    const { slots, wake } = scene()
    expect(wake()).toBe(NEVER)
    slots(1, 'idle')
    slots(1, 'leased')
    expect(wake()).toBe(NEVER)
  })

  test('for whatever comes first of deadlines, phases, lives and idle times', () => {
    const { state, slots, wake } = scene({ idleTimeoutMs: 500 })
    state.deadlines.add(new Waiter('lease', NOW, NOW + 900))
    expect(wake()).toBe(NOW + 900)
    slots(1, 'closing').map((slot) => Object.assign(slot, { deadline: NOW + 800 }))
    expect(wake()).toBe(NOW + 800)
    slots(1, 'connecting').map((slot) => Object.assign(slot, { deadline: NOW + 700 }))
    expect(wake()).toBe(NOW + 700)
    const [idle] = slots(1, 'idle')
    expect(wake()).toBe(NOW + 500)
    Object.assign(idle as object, { expiresAt: NOW + 400 })
    expect(wake()).toBe(NOW + 400)
  })

  test('when the forecast must be looked at again', () => {
    const { state, waiters, wake } = scene()
    state.forecast.learnConnect(100)
    waiters(1, 20)
    expect(wake()).toBe(NOW + 80)
  })
})

describe('a lease', () => {
  test('is looked at when it may be a leak, unless nobody asks, it was told, or statements share it', () => {
    const { state, slots, wake } = scene({ leakThresholdMs: 300 })
    const [slot] = slots(1, 'leased', 100)
    if (slot === undefined) throw new Error('no slot')
    expect(wake()).toBe(NOW + 200)
    slot.leakReported = true
    expect(wake()).toBe(NEVER)
    slot.leakReported = false
    slot.shared = true
    expect(wake()).toBe(NEVER)
    slot.shared = false
    state.options = { ...state.options, leakThresholdMs: 0 }
    expect(wake()).toBe(NEVER)
  })

  test('of a closing pool is looked at when the drain ends, and so is a reset', () => {
    for (const busy of ['leased', 'resetting'] as const) {
      const { state, slots, wake } = scene()
      state.drainDeadline = NOW + 50
      slots(1, busy)
      expect(wake()).toBe(NEVER)
      state.closing = true
      expect(wake(), busy).toBe(NOW + 50)
    }
    const { state, slots, wake } = scene()
    state.closing = true
    state.drainDeadline = NOW + 50
    slots(1, 'closing')
    expect(wake()).toBe(NEVER)
  })
})

describe('a check or a reset', () => {
  test('is looked at when it is no longer counted on, where somebody waits, and else at its deadline', () => {
    for (const phase of ['validating', 'resetting'] as const) {
      const { slots, waiters, wake } = scene({ max: 1 })
      slots(1, phase, 60).map((slot) => Object.assign(slot, { deadline: NOW + 900 }))
      expect(wake(), phase).toBe(NOW + 900)
      waiters(1)
      expect(wake(), phase).toBe(NOW + 40)
      expect(wake(NOW + 39), phase).toBe(NOW + 40)
      expect(wake(NOW + 40), phase).toBe(NOW + 900)
    }
  })

  test('whose deadline comes first is looked at then', () => {
    const { slots, waiters, wake } = scene({ max: 1 })
    slots(1, 'validating').map((slot) => Object.assign(slot, { deadline: NOW + 10 }))
    waiters(1)
    expect(wake()).toBe(NOW + 10)
  })
})

describe('a check in the background', () => {
  test('is due when an idle connection was proven so long ago, and never where none is asked for', () => {
    const { slots, wake } = scene({ keepaliveMs: 200 })
    slots(1, 'idle', 50)
    slots(1, 'idle', 20)
    expect(wake()).toBe(NOW + 150)
    const without = scene()
    without.slots(1, 'idle', 50)
    expect(without.wake()).toBe(NEVER)
  })

  test('waits for the one under way, but not for what a hook prepares', () => {
    const { state, slots } = scene({ keepaliveMs: 200 })
    const [slot] = slots(1, 'idle', 50)
    if (slot === undefined) throw new Error('no slot')
    slots(1, 'validating')
    expect(nextKeepalive(state, slot)).toBe(NEVER)
    state.preparing = 1
    expect(nextKeepalive(state, slot)).toBe(NOW + 150)
  })
})

describe('after a failed connect', () => {
  function failed(options: Parameters<typeof engineState>[0] = {}) {
    const built = scene(options)
    built.state.backoff.failed({ now: NOW, startedAt: NOW - 5, chance: 1, permanent: false })
    return built
  }

  test('the next is tried after the pause, where somebody waits, for a lease or in ready', () => {
    const { waiters, wake } = failed({ max: 1 })
    waiters(1)
    expect(wake(NOW + 1)).toBe(NOW + 20)
    const other = failed()
    other.state.awaitReady(new Waiter('ready', NOW, NEVER))
    expect(other.wake(NOW + 1)).toBe(NOW + 20)
  })

  test('the next is tried as long as min is not there, and else not before somebody comes', () => {
    const { slots, wake } = failed({ min: 1 })
    expect(wake()).toBe(NOW + 20)
    slots(1, 'idle')
    expect(wake()).toBe(NEVER)
  })

  test('the next is not waited for when one is under way, the pool closes or is suspended, or the pause is over', () => {
    const { state, waiters, slots, wake } = failed({ max: 5 })
    waiters(1)
    expect(wake(NOW + 19)).toBe(NOW + 20)
    expect(wake(NOW + 20)).toBe(NEVER)
    state.suspended = true
    expect(wake()).toBe(NEVER)
    state.suspended = false
    state.closing = true
    expect(wake()).toBe(NEVER)
    state.closing = false
    expect(wake()).toBe(NOW + 20)
    slots(1, 'connecting')
    expect(wake()).toBe(NEVER)
  })

  test('no pause is waited for once a connect has succeeded', () => {
    const { state, waiters, wake } = failed({ max: 1 })
    state.backoff.succeeded()
    waiters(1)
    expect(wake()).toBe(NEVER)
  })
})

describe('a queue that may be too long', () => {
  function shedding() {
    const built = scene({ max: 1, overload: 'shed' })
    built.slots(1, 'leased')
    const { overload } = built.state
    if (overload === undefined) throw new Error('nobody watches')
    return { ...built, overload }
  }

  test('is looked at when it is to be judged, but not while it is empty or the pool is suspended', () => {
    const { state, overload, waiters, wake } = shedding()
    overload.joined(NOW, 0)
    expect(wake()).toBe(NEVER)
    waiters(1)
    expect(wake()).toBe(NOW + 50)
    state.suspended = true
    expect(wake()).toBe(NEVER)
  })

  test('is looked at when its oldest has waited for too long, once there are too many', () => {
    const { overload, waiters, wake } = shedding()
    waiters(5, 30)
    overload.joined(NOW - 100, 0)
    overload.judge(NOW - 50, 5, 0)
    expect(wake()).toBe(NOW)
    overload.judge(NOW, 5, 0)
    expect(overload.isOn).toBe(true)
    expect(wake()).toBe(NOW - 10)
    waiters(1, 5)
    overload.judge(NOW + 50, 6, 15)
    expect(wake()).toBe(NOW)
  })
})
