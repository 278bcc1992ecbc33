import { describe, expect, test } from 'vitest'
import { ConnectionLostError, PoolError } from '../../../src/contract/errors.ts'
import type { QueryResult } from '../../../src/contract/sql-driver.ts'
import { Lane, type Shot } from '../../../src/sql/lane.ts'
import { TextEntry } from '../../../src/sql/text-book.ts'
import { readText } from '../../../src/sql/text-reader.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { underWay } from '../../support/under-way.ts'
import { fate } from '../../support/world.ts'

interface Facts {
  shared?: boolean
  verdict?: (error: unknown) => 'lost' | 'stale' | undefined
  farewell?: boolean
  cancels?: boolean
  leftOpen?: boolean
}

/** A lane alone: its lease and its server do what the test says, and write down what they are asked. */
function scene({ shared = true, verdict = () => undefined, farewell, cancels = true, leftOpen }: Facts = {}) {
  const clock = new VirtualClock()
  const told: string[] = []
  const note = (what: string) => () => void told.push(what)
  const works: ReturnType<typeof underWay<QueryResult>>[] = []
  const released: unknown[][] = []
  const together: boolean[] = []
  const lease = {
    usable: true,
    wanted: false,
    busy: undefined as Promise<unknown> | undefined,
    share: note('share'),
    countUse: note('count'),
    release: note('release'),
    releaseAfter: (running: unknown[], unshare: () => void) => {
      told.push('release after')
      released.push(running)
      unshare()
    },
    destroy: () => {
      told.push('destroy')
      lease.usable = false
    },
    confirmStale: note('stale?'),
    reportLost: () => {
      told.push('lost')
      lease.usable = false
    },
  }
  const driver = {
    ...(farewell !== undefined && { isFarewell: () => farewell }),
    ...(leftOpen !== undefined && { inTransaction: () => leftOpen }),
    ...(cancels && { cancel: async () => void told.push('cancel') }),
  }
  const executor = {
    surroundings: { name: 'p', driver, clock },
    share: () => shared,
    unshare: note('unshare'),
    run: (_connection: object, _statement: object, how: { together?: object }) => {
      together.push(how.together !== undefined)
      const work = underWay<QueryResult>()
      works.push(work)
      return work.promise
    },
    judge: (thrown: unknown) => ({ error: `judged ${thrown}`, verdict: verdict(thrown) }),
  }
  const defects: unknown[] = []
  const lane = new Lane({
    lease,
    connection: {},
    executor,
    clock,
    onPlace: note('place'),
    onEnd: note('end'),
    onDefect: (error: unknown) => void defects.push(error),
  } as never)
  const recovered: ConnectionLostError[] = []
  const shot = (): Shot => ({
    statement: { text: 'select 1', params: [], readOnly: true } as never,
    entry: new TextEntry(readText('select 1')),
    prepare: undefined,
    recover: async (loss) => {
      recovered.push(loss)
      return { rows: ['again'] } as never
    },
  })
  const send = (one = shot()) => fate(lane.run(one), clock)
  const answer = async (n: number) => {
    works[n]?.resolve({ rows: [n] } as never)
    await clock.advance(0)
  }
  const fail = async (n: number, error: unknown = 'no') => {
    works[n]?.reject(error)
    await clock.advance(0)
  }
  const asked = () => told.splice(0)
  return {
    lane,
    lease,
    clock,
    works,
    together,
    shot,
    send,
    answer,
    fail,
    asked,
    recovered,
    defects,
    released,
  }
}

describe('a place in a lane', () => {
  test('is there for 32 at a time, promised ones included', () => {
    const { lane, send } = scene()
    for (let n = 0; n < 30; n++) send()
    lane.reserve()
    expect(lane.accepts(0)).toBe(true)
    lane.reserve()
    expect(lane.accepts(0)).toBe(false)
    lane.giveUpPlace()
    expect(lane.accepts(0)).toBe(true)
    expect(lane.inFlight).toBe(30)
  })

  test('is there for one at a time where statements cannot be in flight together', async () => {
    const { lane, send, answer } = scene({ shared: false })
    expect(lane.accepts(0)).toBe(true)
    send()
    lane.reserve()
    expect(lane.accepts(0)).toBe(false)
    await answer(0)
    expect(lane.accepts(0)).toBe(false)
    lane.giveUpPlace()
    expect(lane.accepts(0)).toBe(true)
  })

  test('is not there behind a statement that has been served for 5 ms, from its turn on', async () => {
    const { lane, clock, send, answer } = scene()
    await clock.advance(100)
    send()
    send()
    expect([lane.accepts(104), lane.accepts(105)]).toEqual([true, false])
    await clock.advance(4)
    await answer(0)
    expect([lane.accepts(108), lane.accepts(109)]).toEqual([true, false])
  })

  test('is there however long nothing was in flight', () => {
    const { lane } = scene()
    expect(lane.accepts(1_000)).toBe(true)
  })

  test('is not there on a connection that is wanted back, or of no more use', () => {
    const { lane, lease } = scene()
    lease.wanted = true
    expect(lane.accepts(0)).toBe(false)
    lease.wanted = false
    lease.usable = false
    expect(lane.accepts(0)).toBe(false)
  })
})

describe('a statement in a lane', () => {
  test('gets its own answer or error, and frees its place', async () => {
    const { lane, send, answer, fail, asked } = scene()
    const results = [send(), send(), send()]
    expect(asked()).toEqual(['share', 'count', 'count'])
    await fail(0)
    await answer(1)
    expect(asked()).toEqual(['place', 'place'])
    expect(lane.inFlight).toBe(1)
    await answer(2)
    expect(asked()).toEqual(['place', 'end', 'unshare', 'release'])
    expect(results.map(({ error, value }) => error ?? value?.rows)).toEqual(['judged no', [1], [2]])
  })

  test('teaches how long its text takes from its turn on', async () => {
    const { clock, shot, send, answer } = scene()
    const [slow, fast] = [shot(), shot()]
    await clock.advance(1_000)
    send(slow)
    send(fast)
    await clock.advance(20)
    await answer(0)
    await clock.advance(1)
    await answer(1)
    expect([slow.entry.mayShare, fast.entry.mayShare]).toEqual([false, true])
  })

  test('is sent to somebody else when the connection is of no more use', async () => {
    const { clock, lease, send, recovered, works } = scene()
    lease.usable = false
    const result = send()
    await clock.advance(0)
    expect([works.length, result.value?.rows]).toEqual([0, ['again']])
    expect(recovered[0]).toBeInstanceOf(ConnectionLostError)
    expect(recovered[0]?.executed).toBe('no')
  })

  test('that leaves a transaction open is a defect: it never shares again, and the connection goes', async () => {
    const { lane, shot, send, answer, asked, defects } = scene({ leftOpen: true })
    const bad = shot()
    send(bad)
    send()
    asked()
    await answer(0)
    expect(asked()).toEqual(['destroy', 'place'])
    expect(defects[0]).toBeInstanceOf(PoolError)
    expect((defects[0] as PoolError).code).toBe('POOL_BUG')
    expect([bad.entry.isCandidate, lane.accepts(0)]).toEqual([false, false])
    await answer(1)
    expect(asked()).toEqual(['place', 'end'])
    expect(defects).toHaveLength(1)
  })

  test('that leaves nothing behind is no defect', async () => {
    const { send, answer, asked, defects } = scene({ leftOpen: false })
    send()
    await answer(0)
    expect([asked().includes('destroy'), defects]).toEqual([false, []])
  })
})

describe('statements of one text', () => {
  test('go together, and apart for a while after one of them has failed', async () => {
    const { shot, send, fail, answer, together } = scene()
    const one = shot()
    send(one)
    send(one)
    await fail(0)
    send(one)
    await answer(1)
    await answer(2)
    expect(together).toEqual([true, true, false])
  })

  test('go apart for a while after one of them took 5 ms', async () => {
    const { clock, shot, send, answer, together } = scene()
    const one = shot()
    for (let n = 0; n < 3; n++) send(one)
    await clock.advance(4)
    await answer(0)
    send(one)
    await clock.advance(5)
    await answer(1)
    send(one)
    expect(together).toEqual([true, true, true, true, false])
  })

  test('go apart where nothing can be in flight with them', () => {
    const { send, together } = scene({ shared: false })
    send()
    expect(together).toEqual([false])
  })
})

describe('the end of a lane', () => {
  test('comes when nothing is in flight and nothing promised, once', async () => {
    const { lane, send, answer, asked } = scene()
    send()
    lane.reserve()
    asked()
    await answer(0)
    expect(asked()).toEqual(['place'])
    lane.giveUpPlace()
    send()
    await answer(1)
    expect(asked()).toEqual(['count', 'place', 'end', 'unshare', 'release'])
    expect(lane.accepts(0)).toBe(false)
  })

  test('of a connection that was not shared has nothing to undo', async () => {
    const { send, answer, asked } = scene({ shared: false })
    send()
    asked()
    await answer(0)
    expect(asked()).toEqual(['place', 'end', 'release'])
  })

  test('waits for what else the connection is asked', async () => {
    const { lease, send, answer, asked, released } = scene()
    lease.busy = Promise.resolve()
    send()
    asked()
    await answer(0)
    expect(asked()).toEqual(['place', 'end', 'release after', 'unshare'])
    expect(released).toEqual([[]])
  })
})

describe('a lost connection', () => {
  const lost = { verdict: () => 'lost' as const }

  test('is told of, and each statement in flight may run again, none of them surely not executed', async () => {
    const { send, fail, asked, recovered } = scene(lost)
    const results = [send(), send()]
    asked()
    await fail(0, 'reset')
    await fail(1, 'reset')
    expect(asked()).toEqual(['lost', 'place', 'lost', 'place', 'end'])
    expect(results.map(({ value }) => value?.rows)).toEqual([['again'], ['again']])
    expect(recovered.map(({ executed }) => executed)).toEqual(['unknown', 'unknown'])
    expect(recovered.map(({ cause }) => cause)).toEqual(['reset', 'reset'])
  })

  test('whose server took leave has not executed what stood behind the statement that it served', async () => {
    for (const [farewell, expected] of [
      [true, ['unknown', 'no', 'no']],
      [false, ['unknown', 'unknown', 'unknown']],
    ] as const) {
      const { send, fail, answer, recovered } = scene({ ...lost, farewell })
      for (let n = 0; n < 4; n++) send()
      await answer(0)
      await fail(1, 'bye')
      for (const n of [2, 3]) await fail(n, 'closed')
      expect(recovered.map(({ executed }) => executed)).toEqual(expected)
    }
  })

  test('whose server took leave may have executed what went together with the one that it served', async () => {
    const { send, fail, recovered } = scene({ ...lost, farewell: true })
    for (let n = 0; n < 4; n++) send()
    for (const n of [0, 1, 2]) await fail(n, 'bye')
    await fail(3, 'closed')
    expect(recovered.map(({ executed }) => executed)).toEqual(['unknown', 'unknown', 'unknown', 'no'])
  })

  test('teaches nothing about how long texts take', async () => {
    const { shot, send, fail } = scene(lost)
    const one = shot()
    send(one)
    await fail(0)
    expect(one.entry.mayShare).toBe(false)
  })

  test('that was told of by the driver makes every error a loss', async () => {
    const { lease, send, fail, recovered } = scene()
    send()
    lease.usable = false
    await fail(0)
    expect(recovered).toHaveLength(1)
  })

  test('is not suspected where a write was refused: the server is asked', async () => {
    const { send, fail, asked } = scene({ verdict: () => 'stale' })
    const result = send()
    asked()
    await fail(0)
    expect([result.error, asked()[0]]).toEqual(['judged no', 'stale?'])
  })
})

describe('a statement that nobody waits for any more', () => {
  test('ends the lane when it was the only one: the server is told to stop', async () => {
    const { lane, clock, shot, send, answer, asked, released } = scene()
    const one = shot()
    send(one)
    asked()
    lane.abandon(one)
    expect(asked()).toEqual(['cancel', 'end', 'release after', 'unshare'])
    const quiet = fate(Promise.all(released[0] ?? []), clock)
    lane.abandon(one)
    await clock.advance(0)
    expect([asked(), quiet.state]).toEqual([[], 'pending'])
    await answer(0)
    expect(quiet.state).toBe('resolved')
  })

  test('leaves the lane to the others, until nobody waits for any: then none is cancelled', async () => {
    const { lane, clock, shot, send, answer, asked, released } = scene()
    const [one, two] = [shot(), shot()]
    send(one)
    send(two)
    asked()
    lane.abandon(one)
    expect(asked()).toEqual([])
    lane.abandon(two)
    expect(asked()).toEqual(['end', 'release after', 'unshare'])
    const quiet = fate(Promise.all(released[0] ?? []), clock)
    // One that was undone by another is run once more, and is answered after those that came later.
    await answer(1)
    expect(quiet.state).toBe('pending')
    await answer(0)
    expect(quiet.state).toBe('resolved')
  })

  test('leaves the lane to those who have a promise', () => {
    const { lane, shot, send, asked } = scene()
    const one = shot()
    send(one)
    lane.reserve()
    asked()
    lane.abandon(one)
    expect(asked()).toEqual([])
  })

  test('that has been answered counts no more', async () => {
    const { lane, shot, send, answer, asked } = scene()
    const [one, two, three] = [shot(), shot(), shot()]
    for (const each of [one, two, three]) send(each)
    lane.abandon(one)
    await answer(0)
    asked()
    lane.abandon(two)
    expect(asked()).toEqual([])
    lane.abandon(three)
    expect(asked()).toEqual(['end', 'release after', 'unshare'])
  })

  test('is not run again when the connection dies', async () => {
    const { lane, shot, send, fail, recovered } = scene({ verdict: () => 'lost' })
    const [one, two] = [shot(), shot()]
    const [forsaken, awaited] = [send(one), send(two)]
    lane.abandon(one)
    await fail(0)
    await fail(1)
    expect(recovered).toHaveLength(1)
    expect(forsaken.error).toBeInstanceOf(ConnectionLostError)
    expect(awaited.state).toBe('resolved')
  })

  test('says nothing any more about a connection that the lane has let go of', async () => {
    const { lane, shot, send, fail, asked } = scene({ verdict: () => 'lost', cancels: false })
    const one = shot()
    const result = send(one)
    lane.abandon(one)
    asked()
    await fail(0, 'late')
    expect(result.error).toBe('late')
    expect(asked()).toEqual(['place'])
  })

  test('ends nothing on a connection that is of no more use', () => {
    const { lane, lease, shot, send, asked } = scene()
    const one = shot()
    send(one)
    asked()
    lease.usable = false
    lane.abandon(one)
    expect(asked()).toEqual([])
  })
})

describe('a statement that has been served for 5 s while others stand behind it', () => {
  test('breaks the lane up: all that are not answered run again elsewhere', async () => {
    const { clock, send, answer, fail, asked, recovered } = scene()
    const sent = [send(), send(), send()]
    await clock.advance(4_999)
    expect(asked()).not.toContain('destroy')
    await clock.advance(1)
    expect(asked()).toContain('destroy')
    await fail(0)
    await answer(1)
    await fail(2)
    expect(sent.map(({ value }) => value?.rows)).toEqual([['again'], [1], ['again']])
    expect(recovered.map(({ executed }) => executed)).toEqual(['no', 'no'])
    expect(asked()).toContain('end')
  })

  test('is left alone when nobody does any more', async () => {
    const { clock, send, answer, asked } = scene()
    send()
    send()
    await answer(0)
    await clock.advance(10_000)
    expect(asked()).not.toContain('destroy')
  })

  test('is counted from its own turn', async () => {
    const { clock, send, answer, asked } = scene()
    for (let n = 0; n < 3; n++) send()
    await clock.advance(4_000)
    await answer(0)
    await clock.advance(4_000)
    expect(asked()).not.toContain('destroy')
    await clock.advance(1_000)
    expect(asked()).toContain('destroy')
  })

  test('says no more when the lane has ended', async () => {
    const { clock, send, answer } = scene()
    send()
    send()
    await answer(0)
    await answer(1)
    expect(clock.pending).toBe(0)
  })
})
