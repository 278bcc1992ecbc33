import { describe, expect, test } from 'vitest'
import { Forecast } from '../../../src/engine/forecast.ts'
import { Slot } from '../../../src/engine/slot.ts'

const ALONE = { shared: false }

const leases = (...since: number[]) =>
  since.map(
    (now, id) => Object.assign(new Slot(id, { generation: 0, chance: 0, now }), { state: 'leased' }) as Slot,
  )

function knowing({ holdMs, connectMs }: { holdMs?: number; connectMs?: number }) {
  const forecast = new Forecast()
  if (holdMs !== undefined) forecast.learnHold(holdMs, ALONE)
  if (connectMs !== undefined) forecast.learnConnect(connectMs)
  return forecast
}

describe('what the forecast knows', () => {
  test('is nothing at first, then the first duration, then each latest by three tenths', () => {
    const forecast = new Forecast()
    expect([forecast.holdMs, forecast.connectMs]).toEqual([0, 0])
    forecast.learnHold(10, ALONE)
    forecast.learnConnect(100)
    expect([forecast.holdMs, forecast.connectMs]).toEqual([10, 100])
    forecast.learnHold(20, ALONE)
    forecast.learnConnect(200)
    expect([forecast.holdMs, forecast.connectMs]).toEqual([13, 130])
  })

  test('is not changed by the return of a connection that statements shared', () => {
    const forecast = knowing({ holdMs: 10 })
    forecast.learnHold(5_000, { shared: true })
    expect(forecast.holdMs).toBe(10)
  })

  test('gives a lease its usual time and a twentieth of a connect before it is late', () => {
    const [lease] = leases(1000) as [Slot]
    expect(knowing({ holdMs: 10, connectMs: 100 }).lateAt(lease)).toBe(1015)
    expect(knowing({ connectMs: 100 }).lateAt(lease)).toBe(1005)
  })
})

describe('the waiters that leases will have served when a connect would be done', () => {
  const served = (
    forecast: Forecast,
    slots: Slot[],
    { waiters = 100, now = 1000, leased = slots.length } = {},
  ) => forecast.servedBy(slots, { leased, waiters, now })

  test('are none where nothing is lent or no connect was seen', () => {
    expect(served(knowing({ holdMs: 10 }), leases(1000))).toBe(0)
    expect(served(knowing({ holdMs: 10, connectMs: 100 }), leases(1000), { leased: 0 })).toBe(0)
  })

  test('are one for the return, and one for each further use that fits', () => {
    const forecast = knowing({ holdMs: 10, connectMs: 100 })
    expect(served(forecast, leases(1000))).toBe(10)
    expect(served(forecast, leases(995))).toBe(10)
    expect(served(forecast, leases(1000, 1000))).toBe(20)
    expect(served(forecast, leases(1000, 1000), { waiters: 13 })).toBe(13)
    expect(served(forecast, leases(1000), { waiters: 10 })).toBe(10)
  })

  test('are none by leases that come back later than a connect takes, or are late already', () => {
    const slow = knowing({ holdMs: 100, connectMs: 100 })
    expect(served(slow, leases(1000))).toBe(0)
    expect(served(slow, leases(999))).toBe(1)
    const fast = knowing({ holdMs: 10, connectMs: 100 })
    expect(served(fast, leases(986))).toBe(11)
    expect(served(fast, leases(985))).toBe(0)
  })

  test('do not count on what is not lent, or is shared', () => {
    const forecast = knowing({ holdMs: 10, connectMs: 100 })
    const [idle, shared, lent] = leases(1000, 1000, 1000) as [Slot, Slot, Slot]
    idle.state = 'idle'
    shared.shared = true
    expect(served(forecast, [idle, shared, lent])).toBe(10)
  })

  test('without history are only those of a crowd: more than four to a lease', () => {
    const forecast = knowing({ connectMs: 100 })
    expect(served(forecast, leases(1000), { waiters: 4 })).toBe(0)
    expect(served(forecast, leases(1000), { waiters: 5 })).toBe(5)
    expect(served(forecast, leases(995), { waiters: 5 })).toBe(0)
    expect(served(forecast, leases(1000, 1000), { waiters: 8 })).toBe(0)
    expect(served(forecast, leases(1000, 1000), { waiters: 9 })).toBe(9)
  })
})
