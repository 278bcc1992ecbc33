import { describe, expect, test } from 'vitest'
import type { QueryResult } from '../../../src/contract/sql-driver.ts'
import type { Lane, Shot } from '../../../src/sql/lane.ts'
import type { Limits } from '../../../src/sql/limits.ts'
import { Multiplexer } from '../../../src/sql/multiplexer.ts'
import { TextEntry } from '../../../src/sql/text-book.ts'
import { readText } from '../../../src/sql/text-reader.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { underWay } from '../../support/under-way.ts'
import { fate } from '../../support/world.ts'

/** A multiplexer on a pool that the test plays: which connections are idle, and who waits. */
function scene({ idle = 0 } = {}) {
  const clock = new VirtualClock()
  let connections = 0
  let left = idle
  const sent: { connection: number; work: ReturnType<typeof underWay<QueryResult>> }[] = []
  const waiting: ReturnType<typeof underWay<unknown>>[] = []
  const defects: unknown[] = []
  const facts = { leftOpen: false, refusesOffers: false }
  const lease = () => {
    const number = ++connections
    const made = {
      usable: true,
      wanted: false,
      busy: undefined,
      connection: { number },
      share: () => {},
      countUse: () => {},
      release: () => {
        made.usable = false
      },
      releaseAfter: () => {
        made.usable = false
      },
      destroy: () => {
        made.usable = false
      },
    }
    return made
  }
  const executor = {
    surroundings: { name: 'p', clock, driver: { inTransaction: () => facts.leftOpen } },
    share: () => true,
    unshare: () => {},
    run: ({ number }: { number: number }) => {
      const work = underWay<QueryResult>()
      sent.push({ connection: number, work })
      return work.promise
    },
    judge: (error: unknown) => ({ error, verdict: undefined }),
  }
  const source = {
    takeIdle: () => (left-- > 0 ? lease() : undefined),
    acquireOrShare: () => {
      const one = underWay<unknown>()
      waiting.push(one)
      return one.promise
    },
    offerPlace: (lane: Lane<object>) => {
      if (facts.refusesOffers) return false
      waiting.shift()?.resolve(lane)
      return true
    },
    isPlaceWaitedFor: () => waiting.length > 0,
    onDefect: (error: unknown) => void defects.push(error),
  }
  const multiplexer = new Multiplexer<object>(executor as never, source as never)
  const send = (limits?: () => Limits) => {
    const entry = new TextEntry(readText('select 1'))
    const shot = { statement: {}, entry, prepare: undefined, recover: () => {} }
    return fate(multiplexer.run(shot as unknown as Shot, {}, limits), clock)
  }
  const turn = () => clock.advance(0)
  const answer = async (n: number) => {
    sent[n]?.work.resolve({ rows: [n] } as never)
    await turn()
  }
  return {
    clock,
    facts,
    defects,
    waiting,
    send,
    answer,
    turn,
    where: () => sent.map(({ connection }) => connection),
    /** The pool has a connection for the first who waits. */
    give: async () => {
      waiting.shift()?.resolve(lease())
      await turn()
    },
    /** A connection is idle that was not. */
    comesBack: () => {
      left = 1
    },
    offersLeft: () => left,
  }
}

const within = (leftMs: number) => () => ({ timeout: { leftMs, givenMs: leftMs } })

describe('the multiplexer', () => {
  test('fills one connection before it takes a second', () => {
    const { send, where, offersLeft } = scene({ idle: 3 })
    for (let n = 0; n < 33; n++) send()
    expect(where()).toEqual([...Array(32).fill(1), 2])
    expect(offersLeft()).toBe(1)
  })

  test('forgets a lane that has ended, and opens another', async () => {
    const { send, answer, where } = scene({ idle: 2 })
    send()
    send()
    await answer(0)
    send()
    expect(where()).toEqual([1, 1, 1])
    await answer(1)
    await answer(2)
    send()
    send()
    expect(where()).toEqual([1, 1, 1, 2, 2])
  })

  test('keeps the others when one of its lanes ends', async () => {
    const { clock, send, answer, where } = scene({ idle: 2 })
    send()
    await clock.advance(6)
    send()
    expect(where()).toEqual([1, 2])
    await answer(0)
    send()
    expect(where()).toEqual([1, 2, 2])
  })

  test('waits for a connection where none is idle, and takes along those who wait for a place', async () => {
    const { send, give, answer, where, waiting } = scene()
    const results = [send(), send(), send()]
    expect([where(), waiting.length]).toEqual([[], 3])
    await give()
    expect([where(), waiting.length]).toEqual([[1, 1, 1], 0])
    for (const n of [0, 1, 2]) await answer(n)
    expect(results.map(({ value }) => value?.rows.length)).toEqual([1, 1, 1])
  })

  test('lets newcomers stand behind those who wait for a place', () => {
    const { send, waiting, where, comesBack } = scene()
    send()
    comesBack()
    send()
    expect([waiting.length, where()]).toEqual([2, []])
  })

  test('offers a place that becomes free at once', async () => {
    const { clock, send, answer, waiting, where } = scene({ idle: 1 })
    send()
    send()
    await clock.advance(6)
    send()
    expect([where().length, waiting.length]).toEqual([2, 1])
    await answer(0)
    expect([where().length, waiting.length]).toEqual([3, 0])
  })

  test('takes a place back that nobody wanted', async () => {
    const { clock, facts, send, answer, waiting, where, comesBack } = scene({ idle: 1 })
    facts.refusesOffers = true
    send()
    send()
    await clock.advance(6)
    send()
    await answer(0)
    expect([where().length, waiting.length]).toEqual([2, 1])
    await answer(1)
    // Nothing was promised in vain: the lane has ended when its last statement was answered.
    facts.refusesOffers = false
    comesBack()
    waiting.shift()
    send()
    expect(where()).toEqual([1, 1, 2])
  })

  test('tells of statements that leave something behind', async () => {
    const { facts, send, answer, defects } = scene({ idle: 1 })
    facts.leftOpen = true
    send()
    await answer(0)
    expect(defects).toHaveLength(1)
  })
})

describe('a statement with limits', () => {
  test('runs in a lane that is there, and is given up in time', async () => {
    const { clock, send, where } = scene({ idle: 1 })
    const result = send(within(10))
    await clock.advance(10)
    expect(where()).toEqual([1])
    expect(result).toMatchObject({ state: 'rejected', at: 10 })
  })

  test('runs in a lane that comes, whose place it takes', async () => {
    const { clock, send, give, answer, where } = scene({ idle: 0 })
    const result = send(within(10))
    await give()
    expect(where()).toEqual([1])
    await answer(0)
    expect(result.state).toBe('resolved')
    // Nothing is promised any more: the lane has ended with its only statement.
    send()
    await clock.advance(0)
    expect(where()).toEqual([1])
  })

  test('in a lane that is there leaves the places as they are', async () => {
    const { send, answer, where } = scene({ idle: 2 })
    send(within(10))
    send()
    await answer(0)
    await answer(1)
    send()
    await Promise.resolve()
    expect(where()).toEqual([1, 1, 2])
  })
})
