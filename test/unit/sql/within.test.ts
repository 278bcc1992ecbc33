import { describe, expect, test } from 'vitest'
import { QueryTimeoutError } from '../../../src/contract/errors.ts'
import { type Limits, within } from '../../../src/sql/limits.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { underWay } from '../../support/under-way.ts'
import { fate } from '../../support/world.ts'

/** A signal that tells how many listen. */
function counted() {
  const controller = new AbortController()
  const { signal } = controller
  const listeners = new Set<unknown>()
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1])
    addEventListener.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners.delete(args[1])
    removeEventListener.apply(signal, args)
  }
  return { controller, signal, listeners }
}

function limited(limits: Limits) {
  const clock = new VirtualClock()
  const work = underWay<string>()
  let stops = 0
  const result = fate(within(work.promise, limits, { name: 'p', clock, onStop: () => void stops++ }), clock)
  return { clock, work, result, stops: () => stops }
}

const timeout = (leftMs: number, givenMs = 100) => ({ timeout: { leftMs, givenMs } })

describe('what comes within its limits', () => {
  test('is what it is, an error too, and leaves neither timer nor listener', async () => {
    for (const how of ['resolve', 'reject'] as const) {
      const { signal, listeners } = counted()
      const { clock, work, result, stops } = limited({ signal, ...timeout(50) })
      expect([clock.pending, listeners.size]).toEqual([1, 1])
      work[how]('it')
      await clock.advance(0)
      expect(result).toMatchObject(
        how === 'resolve' ? { state: 'resolved', value: 'it' } : { state: 'rejected', error: 'it' },
      )
      expect([clock.pending, listeners.size, stops()]).toEqual([0, 0, 0])
    }
  })

  test('needs no timer where the time is not limited', () => {
    expect(limited(timeout(Number.POSITIVE_INFINITY)).clock.pending).toBe(0)
    expect(limited({}).clock.pending).toBe(0)
  })
})

describe('what takes too long', () => {
  test('ends with a timeout that tells the whole time that was given', async () => {
    const { signal, listeners } = counted()
    const { clock, result, stops, work } = limited({ signal, ...timeout(30, 100) })
    await clock.advance(29)
    expect(result.state).toBe('pending')
    await clock.advance(1)
    expect(result.error).toBeInstanceOf(QueryTimeoutError)
    expect((result.error as Error).message).toMatch('100 ms')
    expect([stops(), listeners.size]).toEqual([1, 0])
    work.resolve('too late')
    await clock.advance(0)
    expect([result.state, stops()]).toEqual(['rejected', 1])
  })

  test('is not judged before what has arrived was read', async () => {
    const { clock, work, result, stops } = limited(timeout(30))
    clock.io(30, () => work.resolve('just in time'))
    await clock.advance(30)
    expect(result).toMatchObject({ state: 'resolved', value: 'just in time' })
    expect(stops()).toBe(0)
  })

  test('has no time at all when less than none is left', async () => {
    const { clock, result } = limited(timeout(-5))
    await clock.advance(0)
    expect(result).toMatchObject({ state: 'rejected', at: 0 })
  })
})

describe('a signal', () => {
  test('ends the wait at once, with its reason, once', async () => {
    const { controller, signal, listeners } = counted()
    const { clock, result, stops } = limited({ signal, ...timeout(30) })
    controller.abort('enough')
    await clock.advance(100)
    expect(result).toMatchObject({ state: 'rejected', error: 'enough', at: 0 })
    expect([stops(), clock.pending, listeners.size]).toEqual([1, 0, 0])
  })

  test('that was aborted before ends it as well', async () => {
    const { clock, result, stops } = limited({ signal: AbortSignal.abort('before'), ...timeout(30) })
    await clock.advance(100)
    expect(result).toMatchObject({ state: 'rejected', error: 'before', at: 0 })
    expect([stops(), clock.pending]).toEqual([1, 0])
  })
})
