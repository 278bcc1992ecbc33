import { describe, expect, test } from 'vitest'
import { engineAlone } from '../../support/engine.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('an outcome that comes too late', () => {
  test('of a connect changes nothing but that the connection is known to have been one', () => {
    const { engine, wait, slot, tick, asked } = engineAlone({ max: 1, connectTimeoutMs: 50 })
    wait({ timeoutMs: NEVER })
    tick(50)
    expect(asked()).toEqual(['connect 1', 'abort connect 1 timeout'])
    engine.connected(slot(1))
    expect(slot(1)).toMatchObject({ state: 'closing', opened: true, connectedAt: 0 })
    engine.connectFailed(slot(1), false)
    expect(asked()).toEqual(['gone 1 close'])
  })

  test('of a connect that stands is not the end of its socket', () => {
    const { engine, wait, slot, tick, asked } = engineAlone({ max: 1, connectTimeoutMs: 50 })
    wait()
    tick(50)
    const late = slot(1)
    late.connection = {}
    asked()
    engine.connectFailed(late, false)
    expect([late.state, asked()]).toEqual(['closing', []])
    engine.gone(late)
    expect(late.state).toBe('gone')
    engine.gone(late)
    expect(asked().filter((what) => what === 'gone 1 close')).toHaveLength(1)
  })

  test('of a reset changes nothing', () => {
    const { engine, lent, tick, asked } = engineAlone({ max: 1, resetTimeoutMs: 50 })
    const slot = lent()
    engine.reset(slot)
    asked()
    tick(49)
    expect(asked()).toEqual([])
    tick(1)
    expect(asked()).toEqual(['abort phase 1', 'close 1 dirty'])
    engine.resetDone(slot, true)
    expect([slot.state, asked()]).toEqual(['closing', []])
  })

  test('of a check or a hook changes nothing', () => {
    const { engine, lent, pass, wait, tick, asked } = engineAlone({
      max: 1,
      validateAfterIdleMs: 10,
      validateTimeoutMs: 50,
    })
    const slot = lent()
    engine.release(slot)
    pass(10)
    asked()
    wait()
    tick(50)
    expect(asked()).toEqual(['check 1', 'abort phase 1', 'close 1 invalid'])
    engine.checked(slot, true)
    engine.prepared(slot, true)
    engine.checked(slot, false)
    engine.prepared(slot, false)
    expect([slot.state, asked()]).toEqual(['closing', []])
  })
})

describe('a connect', () => {
  test('that took 30 ms tells the forecast so, whatever the time of day', () => {
    const { state, wait, connected, pass } = engineAlone()
    pass(5_000)
    wait()
    pass(30)
    connected(1)
    expect(state.forecast.connectMs).toBe(30)
  })

  test('whose connection stands, but whose hook failed, is closed', () => {
    const { engine, wait, slot, asked } = engineAlone({ max: 1 })
    wait()
    slot(1).connection = {}
    engine.connectFailed(slot(1), false)
    expect(asked()).toEqual(['connect 1', 'close 1 invalid'])
  })
})

describe('a loss', () => {
  test('while idle ends nothing but the connection', () => {
    const { engine, state, lent, asked } = engineAlone({ max: 1 })
    const slot = lent()
    engine.release(slot)
    asked()
    engine.lost(slot)
    expect([state.idle.size, asked()]).toEqual([0, ['close 1 lost']])
  })

  test('while lent takes the lease from its holder', () => {
    const { engine, state, lent, asked } = engineAlone({ max: 2 })
    const [idle, slot] = [lent(), lent()]
    engine.release(idle)
    asked()
    engine.lost(slot)
    expect([state.idle.size, asked()]).toEqual([1, ['revoke 2 lost', 'close 2 lost']])
  })

  test('while it is checked or cleaned ends that as well', () => {
    const { engine, lent, pass, asked, wait } = engineAlone({ max: 2, validateAfterIdleMs: 10 })
    const [checked, cleaned] = [lent(), lent()]
    engine.release(checked)
    pass(10)
    wait({ timeoutMs: 5 })
    engine.reset(cleaned)
    asked()
    engine.lost(checked)
    expect(asked().slice(0, 2)).toEqual(['abort phase 1', 'close 1 lost'])
    engine.lost(cleaned)
    expect(asked().slice(0, 2)).toEqual(['abort phase 2', 'close 2 lost'])
  })

  test('is told once: what is gone or going cannot be lost', () => {
    const { engine, lent, wait, slot, asked } = engineAlone({ max: 2 })
    const one = lent()
    engine.discard(one, 'destroyed')
    wait()
    asked()
    engine.lost(one)
    engine.lost(slot(2))
    engine.gone(one)
    engine.lost(one)
    expect(asked()).toEqual(['gone 1 destroyed'])
  })
})

describe('resize', () => {
  /** Some idle connections, and one still connecting. */
  function open(count: number) {
    const scene = engineAlone({ max: 10, maxLifetimeMs: 1_000, lifetimeJitter: 0 })
    const slots = Array.from({ length: count }, () => scene.lent())
    for (const slot of slots) scene.engine.release(slot)
    scene.asked()
    return { ...scene, slots }
  }

  test('closes what is idle above the new max, and no more', () => {
    const { engine, asked, options } = open(4)
    engine.resize(options({ max: 3 }))
    expect(asked()).toEqual(['close 1 resize'])
    engine.resize(options({ max: 3 }))
    expect(asked()).toEqual([])
  })

  test('closes what is idle above the new maxIdle, and nothing where there is none', () => {
    const { engine, asked, options } = open(4)
    engine.resize(options({ maxIdle: 2 }))
    expect(asked()).toEqual(['close 1 resize', 'close 2 resize'])
    engine.resize(options({ maxIdle: 9 }))
    expect(asked()).toEqual([])
  })

  test('gives a new end of life to those that have begun it', () => {
    const { engine, slots, wait, slot, options } = open(1)
    engine.take(undefined)
    wait()
    engine.resize(options({ maxLifetimeMs: 500 }))
    expect(slots[0]?.expiresAt).toBe(500)
    expect(slot(2).expiresAt).toBe(NEVER)
  })
})

describe('a demoted server', () => {
  test('moves the generation on once for all who say so, and again after a second', () => {
    const { engine, state, pass } = engineAlone()
    engine.stale(0)
    expect(state.generation).toBe(1)
    engine.stale(0)
    pass(999)
    engine.stale(1)
    expect(state.generation).toBe(1)
    pass(1)
    engine.stale(1)
    expect(state).toMatchObject({ generation: 2, outdated: 'stale' })
  })
})

describe('close', () => {
  test('ends what is idle, checked and connecting, and waits for the rest until the drain ends', () => {
    const { engine, lent, pass, asked, wait, wakes } = engineAlone({ max: 4, validateAfterIdleMs: 10 })
    const [idle, due, lease] = [lent(), lent(), lent()]
    engine.release(due)
    pass(10)
    wait()
    engine.read()
    engine.release(idle)
    wait()
    wait()
    expect(asked().slice(-1)).toEqual(['connect 4'])
    expect([idle, due, lease].map(({ state }) => state)).toEqual(['leased', 'validating', 'leased'])
    engine.release(idle)
    asked()
    wakes.length = 0
    engine.close(50)
    expect(asked()).toEqual(['abort phase 2', 'close 2 close', 'abort connect 4 close'])
    expect(wakes).toContain(50)
  })

  test('refuses who waits for a hook that is ended by it', () => {
    const { engine, wait, connected, settled, asked } = engineAlone({ max: 1, onAcquire: () => {} })
    const waiter = wait()
    connected(1)
    asked()
    engine.close(100)
    expect(settled.get(waiter)).toBe('closed')
    expect(asked()).toEqual(['abort phase 1', 'close 1 close'])
  })
})

describe('connections that statements share', () => {
  test('are counted from when they are shared until they are not lent any more', () => {
    const { engine, state, lent } = engineAlone({ max: 2 })
    const [shared, other] = [lent(), lent()]
    engine.share(shared)
    expect([state.shared, shared.shared]).toEqual([1, true])
    engine.release(other)
    expect(state.shared).toBe(1)
    engine.release(shared)
    expect([state.shared, shared.shared]).toEqual([0, false])
  })
})
