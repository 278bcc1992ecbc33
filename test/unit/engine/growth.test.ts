import { describe, expect, test } from 'vitest'
import { checksUnderWay, connectsWanted, incoming, nextForecast } from '../../../src/engine/growth.ts'
import { Waiter } from '../../../src/engine/waiter.ts'
import { engineState, NEVER, NOW } from '../../support/engine-state.ts'

function scene(...options: Parameters<typeof engineState>) {
  const built = engineState(...options)
  return { ...built, wanted: () => connectsWanted(built.state, NOW) }
}

describe('the connects that are wanted', () => {
  test('are none where nobody waits, whatever is open', () => {
    const { slots, wanted } = scene()
    expect(wanted()).toBe(0)
    slots(3, 'connecting')
    expect(wanted()).toBe(0)
  })

  test('are what min lacks, and one for who waits in ready', () => {
    const { state, slots, wanted } = scene({ min: 3 })
    slots(1, 'idle')
    expect(wanted()).toBe(2)
    const other = scene()
    other.state.awaitReady(new Waiter('ready', NOW, NEVER))
    expect(other.wanted()).toBe(1)
    state.closing = true
    expect(wanted()).toBe(0)
  })

  test('are one for each waiter as long as nothing is known', () => {
    const { slots, waiters, wanted } = scene()
    waiters(5)
    expect(wanted()).toBe(5)
    slots(2, 'leased')
    expect(wanted()).toBe(5)
    slots(3, 'connecting')
    expect(wanted()).toBe(2)
  })

  test('are none for those whom leases will serve before a connect could, until that was wrong', () => {
    for (const [age, expected] of [
      [99, 0],
      [100, 2],
    ] as const) {
      const { state, slots, waiters, wanted } = scene()
      state.forecast.learnConnect(100)
      state.forecast.learnHold(10, { shared: false })
      slots(1, 'leased')
      waiters(2, age)
      expect(wanted(), `after ${age} ms`).toBe(expected)
    }
  })

  test('do not count on a lease that others share', () => {
    const { state, slots, waiters, wanted } = scene()
    state.forecast.learnConnect(100)
    for (const slot of slots(1, 'leased')) slot.shared = true
    state.shared = 1
    waiters(5)
    expect(wanted()).toBe(5)
    slots(1, 'leased')
    // Five to one is a crowd: the lease is given its grace.
    expect(wanted()).toBe(0)
  })

  test('are one for 32 who share, and none while a shared connection serves them', () => {
    const { state, slots, waiters, wanted } = scene()
    state.forecast.learnConnect(100)
    waiters(33, 0, true)
    expect(wanted()).toBe(2)
    for (const slot of slots(1, 'leased')) slot.shared = true
    state.shared = 1
    expect(wanted()).toBe(0)
    expect(connectsWanted(state, NOW + 99)).toBe(0)
    expect(connectsWanted(state, NOW + 100)).toBe(2)
  })
})

describe('what is on its way to the queue', () => {
  test('are connects, resets and checks, but not what a hook prepares for somebody', () => {
    const { state, slots } = scene()
    slots(1, 'connecting')
    expect(incoming(state, NOW)).toBe(1)
    slots(2, 'resetting')
    slots(4, 'validating')
    for (const slot of slots(8, 'validating')) slot.waiter = new Waiter('lease', NOW, NEVER)
    state.preparing = 8
    slots(16, 'idle')
    expect(incoming(state, NOW)).toBe(7)
    expect(checksUnderWay(state, NOW)).toEqual({ prompt: 4, overdue: 0 })
  })

  test('is not what takes longer than 100 ms, and where one check does others may as well', () => {
    const { state, slots } = scene()
    slots(1, 'resetting', 99)
    slots(2, 'resetting', 100)
    expect(incoming(state, NOW)).toBe(1)
    slots(4, 'validating', 99)
    expect(incoming(state, NOW)).toBe(5)
    slots(8, 'validating', 100)
    expect(checksUnderWay(state, NOW)).toEqual({ prompt: 4, overdue: 8 })
    expect(incoming(state, NOW)).toBe(1)
  })
})

describe('the forecast is looked at again', () => {
  test('when the first waiter should have been served, or a lease is late, whatever comes first', () => {
    const { state, slots, waiters } = scene()
    state.forecast.learnConnect(100)
    state.forecast.learnHold(10, { shared: false })
    expect(nextForecast(state, NOW)).toBe(NEVER)
    waiters(1, 20)
    expect(nextForecast(state, NOW)).toBe(NOW + 80)
    slots(1, 'leased', 5)
    slots(1, 'connecting', 1)
    expect(nextForecast(state, NOW)).toBe(NOW + 10)
    expect(nextForecast(state, NOW + 10)).toBe(NOW + 80)
    expect(nextForecast(state, NOW + 80)).toBe(NEVER)
  })

  test('never while there is no room to grow', () => {
    const { state, slots, waiters } = scene({ max: 2 })
    state.forecast.learnConnect(100)
    waiters(1)
    slots(2, 'leased')
    expect(nextForecast(state, NOW)).toBe(NEVER)
  })
})
