import { describe, expect, test } from 'vitest'
import { engineAlone } from '../../support/engine.ts'

const NEVER = Number.POSITIVE_INFINITY

/** Three idle connections: one is being checked, one familiar with 'a' is due for it, and one is fresh. */
function checkedDueAndFresh() {
  const scene = engineAlone({ max: 3, validateAfterIdleMs: 100, keepaliveMs: 100 })
  const [checked, due, fresh] = [scene.lent(), scene.lent(), scene.lent()]
  due.affinity = 'a'
  scene.engine.release(checked)
  scene.engine.release(due)
  scene.pass(150)
  scene.engine.read()
  scene.engine.release(fresh)
  scene.tick()
  expect([checked.state, due.state, fresh.state]).toEqual(['validating', 'idle', 'idle'])
  scene.asked()
  return { ...scene, checked, due, fresh }
}

describe('taking at once', () => {
  test('gives the idle connection, and nothing where none is idle', () => {
    const { engine, lent } = engineAlone()
    expect(engine.take(undefined)).toBeUndefined()
    const slot = lent()
    expect(engine.take(undefined)).toBeUndefined()
    engine.release(slot)
    expect(engine.take(undefined)).toBe(slot)
    expect(slot).toMatchObject({ state: 'leased', uses: 2 })
  })

  test('never overtakes somebody who waits for the check of another connection', () => {
    const { engine, wait, asked, checked } = checkedDueAndFresh()
    wait({ affinity: 'a' })
    expect(asked()).toEqual([])
    expect(engine.take(undefined)).toBeUndefined()
    expect(engine.idleToSpare).toBe(true)
    engine.checked(checked, true)
    expect(asked()).toEqual(['grant 1'])
    expect(engine.take(undefined)).toMatchObject({ id: 3 })
  })

  test('starts the check that stands in its way, one, and not for those who wait already', () => {
    const { engine, lent, pass, asked, wait } = engineAlone({ max: 2, validateAfterIdleMs: 100 })
    const [one, other] = [lent(), lent()]
    engine.release(one)
    engine.release(other)
    asked()
    pass(100)
    engine.suspend()
    engine.checkAhead()
    expect(asked()).toEqual([])
    engine.resume()
    wait()
    expect(asked()).toEqual(['check 2'])
    engine.checkAhead()
    expect(asked()).toEqual([])
    engine.checked(other, true)
    engine.checkAhead()
    expect(asked()).toEqual(['grant 2', 'check 1'])
  })

  test('counts those whom nothing but a release could serve, and what a hook prepares is not free', () => {
    const { engine, wait, connected } = engineAlone({ max: 2, onAcquire: () => {} })
    expect(engine.beyondCapacity).toBe(-1)
    wait()
    connected(1)
    expect(engine.beyondCapacity).toBe(0)
    wait()
    connected(2)
    wait()
    expect(engine.beyondCapacity).toBe(2)
  })
})

describe('a server that has refused for good', () => {
  test('refuses at once, for a second, while nothing is open and no probe is under way', () => {
    const { engine, wait, slot, pass, settled } = engineAlone({ max: 3 })
    const waiters = [wait(), wait(), wait()]
    engine.connectFailed(slot(1), true)
    expect(settled.get(waiters[0] as never)).toBe('permanent')
    expect(engine.refused).toBe(false)
    engine.connectFailed(slot(2), true)
    engine.connectFailed(slot(3), true)
    expect(engine.refused).toBe(true)
    engine.suspend()
    expect(engine.refused).toBe(false)
    engine.resume()
    pass(999)
    expect(engine.refused).toBe(true)
    pass(1)
    expect(engine.refused).toBe(false)
  })

  test('does not refuse where a connection is open', () => {
    const { engine, wait, slot, lent } = engineAlone({ max: 3 })
    lent()
    wait()
    engine.connectFailed(slot(2), true)
    expect(engine.refused).toBe(false)
  })

  test('refuses for no longer than a second, however often it has failed before', () => {
    const { engine, wait, slot, tick, pass } = engineAlone({ max: 1 })
    wait({ timeoutMs: NEVER })
    for (let id = 1; id < 12; id++) {
      engine.connectFailed(slot(id), false)
      tick(200)
    }
    engine.connectFailed(slot(12), true)
    pass(1_001)
    expect(engine.refused).toBe(false)
  })
})

describe('a waiter', () => {
  test('that is served at once is not woken for', () => {
    const { engine, lent, wait, wakes } = engineAlone()
    engine.release(lent())
    wakes.length = 0
    wait({ timeoutMs: 10 })
    expect(wakes).toEqual([])
  })

  test('that has been settled may leave again: nothing happens, and its end is told once', () => {
    const { engine, state, wait } = engineAlone({ max: 1 })
    const told: unknown[] = []
    const { finished } = state.deadlines
    state.deadlines.finished = (item) => {
      told.push(item)
      finished.call(state.deadlines, item)
    }
    const waiter = wait()
    engine.leave(waiter)
    engine.leave(waiter)
    expect(told).toEqual([waiter])
    expect([state.queue.size, waiter.done]).toEqual([0, true])
  })

  test('waits for a check, a connect or the queue, by its place in it', () => {
    const { engine, lent, pass, wait } = engineAlone({ max: 3, validateAfterIdleMs: 100 })
    const [idle] = [lent(), lent()]
    engine.release(idle)
    pass(100)
    const waiters = [wait(), wait(), wait()]
    expect(waiters.map((one) => engine.phaseOf(one))).toEqual(['validate', 'connect', 'queue'])
    engine.suspend()
    expect(engine.phaseOf(waiters[2] as never)).toBe('suspended')
  })

  test('waits for a connect where there is room for one, or nothing that could come back', () => {
    const { engine, lent, wait, slot, tick } = engineAlone({ max: 2 })
    const lease = lent()
    const [first, second, third] = [wait(), wait(), wait()]
    expect([first, second, third].map((one) => engine.phaseOf(one))).toEqual(['connect', 'queue', 'queue'])
    engine.connectFailed(slot(2), false)
    expect(engine.phaseOf(third)).toBe('connect')
    engine.reset(lease)
    tick(20)
    expect([first, second].map((one) => engine.phaseOf(one))).toEqual(['connect', 'queue'])
    engine.resetDone(lease, false)
    engine.gone(lease)
    expect([first, second, third].map((one) => engine.phaseOf(one))).toEqual(Array(3).fill('connect'))
  })

  test('waits in the queue while one is lent and one is cleaned', () => {
    const { engine, lent, wait } = engineAlone({ max: 2 })
    const [one] = [lent(), lent()]
    engine.reset(one)
    expect(engine.phaseOf(wait())).toBe('queue')
  })

  test('for whom a hook prepares a connection waits for that, and so do others not', () => {
    const { engine, state, wait, connected, asked } = engineAlone({ max: 2, onAcquire: () => {} })
    const [first, second, third] = [wait(), wait(), wait()]
    connected(1)
    expect(asked()).toEqual(['connect 1', 'connect 2', 'prepare 1'])
    expect([first, second, third].map((one) => engine.phaseOf(one))).toEqual([
      'validate',
      'connect',
      'connect',
    ])
    expect(state.waiting).toBe(3)
    engine.leave(first)
    expect(state).toMatchObject({ waiting: 2, preparing: 0 })
  })
})

describe('a lease is wanted back', () => {
  test('when somebody waits with no other hope, and not when a place beside others would do', () => {
    const { engine, lent, wait } = engineAlone({ max: 1 })
    const slot = lent()
    expect(engine.wanted(slot)).toBe(false)
    const sharing = wait({ shares: true })
    expect(engine.wanted(slot)).toBe(false)
    engine.leave(sharing)
    wait()
    expect(engine.wanted(slot)).toBe(true)
  })

  test('not when something else is coming, or there is room for more', () => {
    const { engine, lent, wait, slot } = engineAlone({ max: 2 })
    const lease = lent()
    wait()
    expect(engine.wanted(lease)).toBe(false)
    engine.connectFailed(slot(2), false)
    expect(engine.wanted(lease)).toBe(false)
  })

  test('not when an idle connection is only waiting for a check', () => {
    const { engine, wait } = checkedDueAndFresh()
    const lease = engine.take(undefined)
    wait({ affinity: 'a' })
    wait({ affinity: 'a' })
    expect(engine.wanted(lease as never)).toBe(false)
    wait()
    expect(engine.wanted(lease as never)).toBe(true)
  })

  test('when it is due to retire, or the pool is suspended', () => {
    const { engine, lent } = engineAlone({ max: 1 })
    const slot = lent()
    engine.suspend()
    expect(engine.wanted(slot)).toBe(true)
    engine.resume()
    engine.refresh()
    expect(engine.wanted(slot)).toBe(true)
  })
})
