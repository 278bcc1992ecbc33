import { describe, expect, type TestContext, test, vi } from 'vitest'
import { systemClock } from '../../../src/pool/system-clock.ts'

const LONGEST = 2 ** 31 - 1

/** The globals' timers, of which nothing runs unless the test says so. */
function timers({ onTestFinished }: TestContext, { numbers = false } = {}) {
  const started: { ms: number; run: () => void; calls: string[]; handle: unknown }[] = []
  const start = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
    const calls: string[] = []
    const handle = numbers
      ? started.length + 1
      : { ref: () => void calls.push('ref'), unref: () => void calls.push('unref') }
    started.push({ ms, run, calls, handle })
    return handle
  }) as never)
  const cleared: unknown[] = []
  const stop = vi.spyOn(globalThis, 'clearTimeout').mockImplementation((handle) => void cleared.push(handle))
  onTestFinished(() => {
    start.mockRestore()
    stop.mockRestore()
  })
  return { started, cleared }
}

describe('the system’s clock', () => {
  test('tells the time, that of day too', () => {
    expect(Math.abs(systemClock.now() - performance.now())).toBeLessThan(1_000)
    expect(Math.abs((systemClock.wall?.() ?? 0) - Date.now())).toBeLessThan(1_000)
  })

  test('runs after a poll what is to run after a poll', async () => {
    const told: string[] = []
    await new Promise<void>((resolve) => {
      systemClock.afterPoll(() => {
        told.push('after the poll')
        resolve()
      })
      told.push('now')
    })
    expect(told).toEqual(['now', 'after the poll'])
  })

  test('waits for whole milliseconds, rounded up, and never for less than none', (context) => {
    const { started } = timers(context)
    for (const ms of [5, 5.1, 0, -3, LONGEST]) systemClock.after(ms, () => {})
    expect(started.map(({ ms }) => ms)).toEqual([5, 6, 0, 0, LONGEST])
  })

  test('waits in parts for what is longer than a timer can wait', (context) => {
    const { started, cleared } = timers(context)
    let ran = 0
    const timer = systemClock.after(LONGEST + 1_000, () => ran++)
    timer.unref()
    expect(started[0]).toMatchObject({ ms: LONGEST, calls: ['unref'] })
    started[0]?.run()
    expect([ran, started.length]).toEqual([0, 2])
    expect(started[1]).toMatchObject({ ms: 1_000, calls: ['unref'] })
    started[1]?.run()
    expect(ran).toBe(1)
    timer.cancel()
    expect(cleared).toEqual([started[1]?.handle])
  })

  test('keeps the process alive from the start, until told otherwise', (context) => {
    const { started } = timers(context)
    const timer = systemClock.after(LONGEST + 5, () => {})
    started[0]?.run()
    expect(started[1]?.calls).toEqual(['ref'])
    timer.unref()
    timer.ref()
    expect(started[1]?.calls).toEqual(['ref', 'unref', 'ref'])
  })

  test('bears timers that are numbers', (context) => {
    const { started, cleared } = timers(context, { numbers: true })
    const timer = systemClock.after(5, () => {})
    timer.unref()
    timer.ref()
    timer.cancel()
    expect([started.length, cleared]).toEqual([1, [1]])
  })
})
