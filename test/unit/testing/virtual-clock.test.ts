import { describe, expect, test, vi } from 'vitest'
import { promiseJobs, VirtualClock } from '../../../src/testing/virtual-clock.ts'

function recorder(clock: VirtualClock) {
  const seen: string[] = []
  return { seen, note: (what: string) => () => void seen.push(`${what}@${clock.now()}`) }
}

describe('timers', () => {
  test('fire at their time, equal times in the order of their creation', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(20, note('b'))
    clock.after(10, note('a'))
    clock.after(20, note('c'))
    await clock.advance(19)
    expect(seen).toEqual(['a@10'])
    await clock.advance(1)
    expect(seen).toEqual(['a@10', 'b@20', 'c@20'])
    expect(clock.now()).toBe(20)
  })

  test('set by a timer fire within the same advance', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(10, () => clock.after(5, note('inner')))
    await clock.advance(100)
    expect(seen).toEqual(['inner@15'])
  })

  test('fire once, and not after cancel', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    const fired = clock.after(1, note('fired'))
    const cancelled = clock.after(1, note('cancelled'))
    cancelled.cancel()
    await clock.advance(5)
    fired.cancel()
    cancelled.cancel()
    await clock.advance(5)
    expect(seen).toEqual(['fired@1'])
    expect(clock.pending).toBe(0)
  })

  test('are counted until they fire or are cancelled', async () => {
    const clock = new VirtualClock()
    const timers = Array.from({ length: 500 }, (_, i) => clock.after(1000 - i, () => {}))
    for (const timer of timers.slice(0, 400)) timer.cancel()
    expect(clock.pending).toBe(100)
    timers[450]?.unref()
    expect(clock.referenced).toBe(99)
    timers[450]?.ref()
    expect(clock.referenced).toBe(100)
    await clock.runAll()
    expect(clock.pending).toBe(0)
    expect(clock.now()).toBe(600)
  })

  test('that never come due keep nobody waiting', async () => {
    const clock = new VirtualClock()
    clock.after(Number.POSITIVE_INFINITY, () => {})
    await clock.runAll()
    expect(clock.now()).toBe(0)
    expect(clock.pending).toBe(1)
  })

  test('of no delay fire without time passing, each in a turn of its own', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(0, () => {
      clock.after(0, note('second'))
      clock.io(0, note('answer'))
    })
    await clock.advance(0)
    expect(seen).toEqual(['answer@0', 'second@0'])
  })

  test('refuse a delay that is no number', () => {
    expect(() => new VirtualClock().after(Number.NaN, () => {})).toThrow(RangeError)
  })
})

describe('a turn of the event loop', () => {
  test('runs timers, then what arrived, then what waited for that', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.io(10, note('arrival'))
    clock.after(10, () => {
      seen.push('timer')
      clock.afterPoll(note('after the poll'))
    })
    await clock.advance(10)
    expect(seen).toEqual(['timer', 'arrival@10', 'after the poll@10'])
  })

  test('lets an answer that arrived during a block be seen before a late deadline gives up', async () => {
    const clock = new VirtualClock()
    let outcome = 'waiting'
    clock.io(50, () => {
      outcome = 'answered'
    })
    clock.after(100, () => {
      clock.afterPoll(() => {
        if (outcome === 'waiting') outcome = 'given up'
      })
    })
    clock.block(2000)
    expect(outcome).toBe('waiting')
    await clock.advance(0)
    expect(outcome).toBe('answered')
  })

  test('does not wait for what arrives later', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.io(2001, note('arrival'))
    clock.after(100, () => clock.afterPoll(note('given up')))
    clock.block(2000)
    await clock.advance(10)
    expect(seen).toEqual(['given up@2000', 'arrival@2001'])
  })

  test('fires all that became due in a block in one go, in order', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(30, note('b'))
    clock.io(5, note('arrival'))
    clock.after(10, note('a'))
    clock.block(40)
    await clock.advance(0)
    expect(seen).toEqual(['a@40', 'b@40', 'arrival@40'])
  })

  test('runs what a blocking callback made due, although the advance was shorter', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(1, () => clock.block(500))
    clock.after(400, note('late'))
    await clock.advance(10)
    expect(seen).toEqual(['late@501'])
  })

  test('puts off what is added to it while it checks', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.afterPoll(() => {
      clock.afterPoll(note('next turn'))
      clock.io(0, note('arrival'))
    })
    await clock.advance(0)
    expect(seen).toEqual(['arrival@0', 'next turn@0'])
  })
})

describe('promises', () => {
  test('settle between two timers of the same time, however long the chain', async () => {
    for (const settle of [undefined, promiseJobs]) {
      const clock = new VirtualClock({ settle })
      const seen: string[] = []
      clock.after(10, async () => {
        for (let i = 0; i < 1000; i++) await undefined
        seen.push('chain')
      })
      clock.after(10, () => seen.push('timer'))
      await clock.advance(10)
      expect(seen).toEqual(['chain', 'timer'])
    }
  })

  test('do not settle in a tick', async () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    clock.after(10, () => void Promise.resolve().then(() => seen.push('promise')))
    clock.after(10, () => seen.push('timer'))
    clock.tick(10)
    expect(seen).toEqual(['timer'])
    await undefined
    expect(seen).toEqual(['timer', 'promise'])
    expect(clock.now()).toBe(10)
  })

  test('are waited for by until, and no longer', async () => {
    const clock = new VirtualClock()
    clock.after(1000, () => {})
    const answer = new Promise<string>((resolve) => clock.io(30, () => resolve('yes')))
    await expect(clock.until(answer)).resolves.toBe('yes')
    expect(clock.now()).toBe(30)
    await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no')
  })

  test('that nothing can settle are told apart from those that take too long', async () => {
    const clock = new VirtualClock()
    const never = new Promise(() => {})
    await expect(clock.until(never)).rejects.toThrow('nothing is left to happen')
    clock.after(5000, () => {})
    await expect(clock.until(never, { withinMs: 100 })).rejects.toThrow('not settled within 100 ms')
  })
})

describe('a frozen process', () => {
  test('that was stopped finds both clocks moved', () => {
    const clock = new VirtualClock({ wall: 1000 })
    clock.suspend(500)
    expect([clock.now(), clock.wall()]).toEqual([500, 1500])
  })

  test('on a machine that slept finds its timers late and the answers there', async () => {
    const clock = new VirtualClock({ wall: 1000 })
    const { seen, note } = recorder(clock)
    clock.io(300, note('arrival'))
    clock.after(10, note('timer'))
    clock.suspend(500, 'machine')
    expect([clock.now(), clock.wall()]).toEqual([0, 1500])
    await clock.advance(10)
    expect(seen).toEqual(['arrival@0', 'timer@10'])
    expect(clock.wall()).toBe(1510)
  })
})

describe('a mistake', () => {
  test('that makes time stand still is reported', async () => {
    const clock = new VirtualClock({ settle: promiseJobs })
    const again = () => void clock.after(0, again)
    again()
    await expect(clock.advance(1)).rejects.toThrow('time stands still')
  })

  test('that never ends is reported by runAll', async () => {
    const clock = new VirtualClock({ settle: promiseJobs })
    const again = () => void clock.after(1, again)
    again()
    await expect(clock.runAll()).rejects.toThrow('still to happen')
  })

  test('thrown by a callback comes out of advance, and the clock goes on', async () => {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(1, () => {
      throw new Error('oops')
    })
    clock.after(2, note('next'))
    await expect(clock.advance(5)).rejects.toThrow('oops')
    await clock.advance(5)
    expect(seen).toEqual(['next@2'])
  })
})

test('fake timers of a test runner do not stop it', async () => {
  vi.useFakeTimers()
  try {
    const clock = new VirtualClock()
    const { seen, note } = recorder(clock)
    clock.after(5, note('a'))
    await clock.advance(5)
    expect(seen).toEqual(['a@5'])
  } finally {
    vi.useRealTimers()
  }
})

test('times that no number holds exactly still come due', async () => {
  const clock = new VirtualClock()
  clock.suspend(1 / 3, 'machine')
  let fired = 0
  for (let i = 1; i <= 300; i++) {
    clock.after(i / 7, () => fired++)
    clock.io(i / 11, () => fired++)
  }
  await clock.advance(50)
  expect(fired).toBe(600)
})
