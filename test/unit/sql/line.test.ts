import { describe, expect, test } from 'vitest'
import type { Limits } from '../../../src/sql/limits.ts'
import { Line } from '../../../src/sql/line.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { underWay } from '../../support/under-way.ts'
import { fate } from '../../support/world.ts'

function scene(cancel?: () => Promise<void>) {
  const clock = new VirtualClock()
  const line = new Line({ name: 'p', clock }, cancel)
  const judge = (error: unknown) => `judged: ${error}`
  const run = <T>(start: () => Promise<T>, limits?: Limits) => fate(line.run(start, judge, limits), clock)
  return { clock, line, run }
}

const within = (leftMs: number): Limits => ({ timeout: { leftMs, givenMs: leftMs } })

describe('a line of statements', () => {
  test('starts the first at once, and each other when the one before has ended, however it ended', async () => {
    const { clock, line, run } = scene()
    const started: number[] = []
    const works = [underWay<number>(), underWay<number>(), underWay<number>()]
    const results = works.map((work, n) =>
      run(() => {
        started.push(n)
        return work.promise
      }),
    )
    expect(started).toEqual([0])
    works[0]?.reject('no')
    await clock.advance(0)
    expect(started).toEqual([0, 1])
    expect(line.quiet).toBeDefined()
    works[1]?.resolve(1)
    works[2]?.resolve(2)
    await clock.advance(0)
    expect(results[0]).toMatchObject({ state: 'rejected', error: 'judged: no' })
    expect(results.map(({ value }) => value)).toEqual([undefined, 1, 2])
    expect(line.quiet).toBeUndefined()
  })

  test('is free when its caller hears of the end, good or bad', async () => {
    const { clock, line } = scene()
    for (const how of ['resolve', 'reject'] as const) {
      const work = underWay<void>()
      const seen: unknown[] = []
      const look = () => void seen.push(line.quiet)
      line.run(() => work.promise, String).then(look, look)
      work[how](undefined)
      await clock.advance(0)
      expect(seen).toEqual([undefined])
    }
  })

  test('takes what is thrown for an error like any other', async () => {
    const { clock, line, run } = scene()
    const thrown = run(() => {
      throw new Error('at once')
    })
    await clock.advance(0)
    expect([thrown.error, line.quiet]).toEqual(['judged: Error: at once', undefined])
  })

  test('is quiet when what occupies it has ended, the last of it', async () => {
    const { clock, line } = scene()
    expect(line.quiet).toBeUndefined()
    const [one, two] = [underWay<void>(), underWay<void>()]
    line.occupy(one.promise)
    line.occupy(two.promise)
    one.resolve()
    await clock.advance(0)
    const quiet = fate(line.quiet as Promise<void>)
    await clock.advance(0)
    expect(quiet.state).toBe('pending')
    two.resolve()
    await clock.advance(0)
    expect([quiet.state, line.quiet]).toEqual(['resolved', undefined])
  })

  test('tells of its quiet without an error, also when the last statement fails', async () => {
    const { clock, line, run } = scene()
    const work = underWay<void>()
    run(() => work.promise)
    const quiet = fate(line.quiet as Promise<void>)
    work.reject('no')
    await clock.advance(0)
    expect(quiet).toMatchObject({ state: 'resolved', value: undefined })
  })
})

describe('a statement with limits', () => {
  test('that is answered in time is its answer, and an error is judged', async () => {
    const { clock, line, run } = scene()
    const answered = run(async () => 1, within(10))
    const failed = run(() => Promise.reject('no'), within(10))
    await clock.advance(0)
    expect([answered.value, failed.error, line.quiet]).toEqual([1, 'judged: no', undefined])
    expect(clock.pending).toBe(0)
  })

  test('sends nothing when it has left the line before its turn', async () => {
    const { clock, line, run } = scene(() => Promise.reject('nothing is to be cancelled'))
    const first = underWay<void>()
    run(() => first.promise)
    let started = 0
    const waiting = run(async () => started++, within(10))
    await clock.advance(10)
    expect(waiting).toMatchObject({ state: 'rejected', at: 10 })
    first.reject('no')
    await clock.advance(0)
    expect([started, line.quiet]).toEqual([0, undefined])
  })

  test('starts nothing when its signal was aborted before', async () => {
    const { clock, line, run } = scene()
    let started = 0
    const result = run(async () => started++, { signal: AbortSignal.abort('no') })
    expect(line.quiet).toBeUndefined()
    await clock.advance(0)
    expect([result.error, started]).toEqual(['no', 0])
  })

  test('is cancelled when it runs, and the line is quiet when the cancel can no longer hit anybody', async () => {
    const cancelled = underWay<void>()
    let cancels = 0
    const { clock, line, run } = scene(() => {
      cancels++
      return cancelled.promise
    })
    const work = underWay<string>()
    const result = run(() => work.promise, within(10))
    await clock.advance(10)
    expect([result.state, cancels]).toEqual(['rejected', 1])
    work.reject('cancelled')
    await clock.advance(0)
    expect(line.quiet).toBeDefined()
    cancelled.reject('the cancel failed')
    await clock.advance(0)
    expect(line.quiet).toBeUndefined()
  })

  test('may be waited for no longer without a cancel as well, and its time runs while it waits for its turn', async () => {
    const { clock, line, run } = scene()
    const works = [underWay<string>(), underWay<string>()] as const
    run(() => works[0].promise)
    const second = run(() => works[1].promise, within(10))
    await clock.advance(5)
    works[0].resolve('done')
    await clock.advance(5)
    expect(second).toMatchObject({ state: 'rejected', at: 10 })
    expect(line.quiet).toBeDefined()
    works[1].resolve('late')
    await clock.advance(0)
    expect(line.quiet).toBeUndefined()
  })
})
