import { describe, expect, test } from 'vitest'
import { dueReason, lifetimeEnd } from '../../../src/engine/retirement.ts'
import { Waiter } from '../../../src/engine/waiter.ts'
import { engineAlone } from '../../support/engine.ts'
import { engineState, NEVER, NOW } from '../../support/engine-state.ts'

describe('the pump', () => {
  test('that is asked for while it runs goes round again, instead of running within itself', () => {
    const { engine, wait, listeners, asked } = engineAlone({ max: 10 })
    engine.suspend()
    for (let n = 0; n < 3; n++) wait()
    listeners.called = () => engine.pump()
    engine.resume()
    expect(asked()).toEqual(['connect 1', 'connect 2', 'connect 3'])
  })

  test('serves who has come meanwhile', () => {
    const { listeners, wait, settled, connected } = engineAlone({ max: 1 })
    let waiter: Waiter | undefined
    listeners.ready = () => {
      waiter = wait()
    }
    wait({ kind: 'ready' })
    const slot = connected(1)
    expect(settled.get(waiter as unknown as Waiter)).toBe(slot)
  })

  test('opens no more than there is room for, however many wait', () => {
    const { engine, wait, asked } = engineAlone({ max: 2 })
    engine.suspend()
    for (let n = 0; n < 5; n++) wait()
    engine.resume()
    expect(asked()).toEqual(['connect 1', 'connect 2'])
  })

  test('does not lend what has expired, even when nobody was woken for it', () => {
    const { engine, lent, pass, wait, asked } = engineAlone({
      max: 1,
      maxLifetimeMs: 100,
      lifetimeJitter: 0,
    })
    engine.release(lent())
    asked()
    pass(100)
    wait()
    expect(asked()).toEqual(['close 1 lifetime'])
  })

  test('asks for no hook that is not there, and wakes for no deadline of one', () => {
    const { engine, lent, wait, asked, wakes, tick } = engineAlone({
      max: 1,
      leakThresholdMs: 70,
      idleTimeoutMs: NEVER,
      maxLifetimeMs: NEVER,
    })
    engine.release(lent())
    tick()
    asked()
    wakes.length = 0
    wait()
    expect(asked()).toEqual(['grant 1'])
    expect(wakes).toEqual([70])
  })

  test('gives what the waiter no longer takes to the next', () => {
    const { engine, listeners, lent, wait, settled, state } = engineAlone({ max: 1 })
    const slot = lent()
    const [gone, next] = [wait(), wait()]
    listeners.granted = (waiter) => waiter !== gone
    engine.release(slot)
    expect(settled.get(next)).toBe(slot)
    expect(state.counts).toMatchObject({ leased: 1, idle: 0 })
  })
})

describe('who waits in ready', () => {
  test('is told when so many are open as min says, one at least, whatever they do', () => {
    const { state, slots } = engineState({ min: 2, max: 9 })
    for (const as of ['idle', 'leased', 'validating', 'resetting', 'connecting', 'closing'] as const)
      slots(1, as)
    expect([state.open, state.live, state.total, state.readyAt]).toEqual([4, 5, 6, 2])
    expect(engineState().state.readyAt).toBe(1)
  })

  test('makes the pool try again as soon as for a caller', () => {
    const { wait, slot, engine, tick, wakes } = engineAlone({ max: 1 })
    wait({ kind: 'ready', timeoutMs: NEVER })
    for (let id = 1; id <= 8; id++) {
      engine.connectFailed(slot(id), false)
      tick(200)
    }
    wakes.length = 0
    engine.connectFailed(slot(9), false)
    expect(wakes).toEqual([1_800])
  })

  test('keeps a connection above max that nobody else waits for', () => {
    const { state, slots } = engineState({ max: 1, maxOverflow: 1 })
    const [slot] = slots(2, 'leased')
    expect(dueReason(state, slot as never, NOW)).toBe('overflow')
    state.awaitReady(new Waiter('ready', NOW, NEVER))
    expect(dueReason(state, slot as never, NOW)).toBeUndefined()
    state.suspended = true
    expect(dueReason(state, slot as never, NOW)).toBe('overflow')
  })
})

describe('a hook that prepares', () => {
  const HOOK = { max: 1, onAcquire: () => {} }

  test('may be left by its waiter: the next is served by the same connection', () => {
    const { engine, wait, connected, settled, state, asked } = engineAlone(HOOK)
    const [gone, next] = [wait(), wait()]
    const slot = connected(1)
    engine.leave(gone)
    expect([state.preparing, slot.waiter]).toEqual([0, undefined])
    asked()
    engine.prepared(slot, true)
    expect(asked()).toEqual(['prepare 1'])
    engine.prepared(slot, true)
    expect(settled.get(next)).toBe(slot)
  })

  test('and fails after its waiter has left costs the connection, and puts nobody into the queue', () => {
    const { engine, wait, connected, state, asked } = engineAlone(HOOK)
    const waiter = wait()
    const slot = connected(1)
    engine.leave(waiter)
    asked()
    engine.prepared(slot, false)
    expect([state.queue.size, asked()]).toEqual([0, ['close 1 invalid']])
  })

  test('and fails on a fresh connection makes the pool pause, and on one that was used it does not', () => {
    const { engine, wait, connected, state, settled } = engineAlone(HOOK)
    const waiter = wait()
    engine.prepared(connected(1), false)
    expect([state.backoff.failing, state.backoff.permanent, settled.has(waiter)]).toEqual([
      true,
      false,
      false,
    ])
    const other = engineAlone(HOOK)
    other.wait()
    const slot = other.connected(1)
    other.engine.prepared(slot, true)
    other.engine.release(slot)
    other.wait()
    other.engine.prepared(slot, false)
    expect(other.state.backoff.failing).toBe(false)
  })

  test('and hangs says nothing about other connections; a check that hangs does', () => {
    const { wait, connected, state, tick } = engineAlone({ ...HOOK, validateTimeoutMs: 50 })
    wait()
    connected(1)
    tick(50)
    expect(state.suspectAt).toBe(Number.NEGATIVE_INFINITY)
    const other = engineAlone({ max: 1, validateAfterIdleMs: 10, validateTimeoutMs: 50 })
    other.engine.release(other.lent())
    other.pass(10)
    other.wait()
    other.tick(50)
    expect(other.state.suspectAt).toBe(60)
  })
})

describe('time', () => {
  test('may be told without the time of day, and without a source of chance', () => {
    const { wait, slot, engine, wakes } = engineAlone({ max: 1 }, { chance: undefined })
    wait()
    wakes.length = 0
    engine.connectFailed(slot(1), false)
    expect(wakes.length).toBe(1)
    expect(wakes[0]).toBeGreaterThanOrEqual(0)
    expect(wakes[0]).toBeLessThan(20)
  })

  test('that has jumped makes what has been idle for a millisecond prove itself', () => {
    let wall = 1_000_000
    const { engine, lent, pass, wait, asked } = engineAlone({ max: 1 }, { wall: () => wall })
    engine.release(lent())
    asked()
    wall += 6_000
    pass(1)
    wait()
    expect(asked()).toEqual(['check 1'])
  })

  test('asks to be woken once for each moment, and not when nobody waits for what takes long', () => {
    const { engine, lent, wait, wakes, tick } = engineAlone({ max: 1, resetTimeoutMs: 500 })
    const slot = lent()
    tick()
    wakes.length = 0
    engine.reset(slot)
    expect(wakes).toEqual([500])
    wait({ timeoutMs: 500 })
    wait({ timeoutMs: 500 })
    expect(wakes).toEqual([500, 100])
  })

  test('ends no life where none is limited', () => {
    const { state, slots } = engineState({ maxLifetimeMs: NEVER, lifetimeJitter: 1 })
    const [slot] = slots(1, 'idle')
    expect(lifetimeEnd(state, slot as never)).toBe(NEVER)
  })
})

describe('who is served next', () => {
  test('is the first, and under overload the newest', () => {
    const { state } = engineState({ overload: 'shed' })
    const waiters = [1, 2, 3].map(() => new Waiter('lease', NOW, NEVER))
    for (const waiter of waiters) state.queue.join(waiter)
    expect(waiters.map(({ shares }) => shares)).toEqual([false, false, false])
    expect(state.next(NOW)).toBe(waiters[0])
    state.overload?.joined(NOW, 0)
    state.overload?.judge(NOW + 50, 3, 0)
    expect(state.next(NOW + 50)).toBe(waiters[0])
    state.overload?.judge(NOW + 100, 3, 0)
    expect(state.next(NOW + 100)).toBe(waiters[2])
  })

  test('is nobody of those who have waited for too long under overload, which ends with them', () => {
    const { engine, wait, tick, pass, state, settled, lent, wakes } = engineAlone({
      max: 1,
      overload: 'shed',
    })
    const slot = lent()
    const old = [wait(), wait(), wait()]
    tick(50)
    pass(31)
    const young = wait()
    wakes.length = 0
    tick(19)
    expect(old.map((one) => settled.get(one))).toEqual(Array(3).fill('overload'))
    expect([settled.has(young), state.overload?.isOn]).toEqual([false, true])
    expect(wakes).toEqual([101])
    tick(0.9)
    expect(settled.has(young)).toBe(false)
    engine.release(slot)
    expect(settled.get(young)).toBe(slot)
    expect(state.overload).toMatchObject({ isOn: false, judgeAt: NEVER })
  })
})
