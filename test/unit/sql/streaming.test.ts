import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, sqlWorld } from '../../support/world.ts'

function scene(around = {}) {
  const world = sqlWorld({ max: 1 }, { server: { latencyMs: 10 }, ...around })
  let made = 0
  world.server.answer('numbers', () => ({
    rows: (function* () {
      for (let n = 0; n < 100; n++) {
        made++
        yield { n }
      }
    })(),
  }))
  return { ...world, made: () => made }
}

describe('a stream', () => {
  test('gives all rows in order, a batch at a time, and then the connection back', async () => {
    const { clock, pool } = scene()
    const rows: unknown[] = []
    const read = async () => {
      for await (const row of pool.stream<{ n: number }>('numbers', [], { batch: 30 })) rows.push(row.n)
    }
    await clock.until(read())
    expect(rows).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
    expect(clock.now()).toBeGreaterThanOrEqual(40)
  })

  test('borrows nothing before it is read', async () => {
    const { clock, pool, server } = scene()
    pool.stream('numbers')
    await clock.advance(100)
    expect(server.peak).toBe(0)
  })

  test('that stops early reads no further, and leaves the connection usable', async () => {
    const { clock, pool, made, server } = scene()
    const read = async () => {
      for await (const row of pool.stream<{ n: number }>('numbers', [], { batch: 10 })) if (row.n === 3) break
    }
    await clock.until(read())
    expect(made()).toBe(10)
    await clock.until(pool.query('next'))
    expect(server.misuse).toEqual([])
    expect(pool.stats()).toMatchObject({ idle: 1, created: 1 })
  })

  test('whose consumer throws gives back, and throws the consumer’s error', async () => {
    const { pool, errorOf, clock } = scene()
    const problem = new Error('mine')
    const read = async () => {
      for await (const _ of pool.stream('numbers')) throw problem
    }
    expect(await errorOf(read())).toBe(problem)
    await clock.advance(100)
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0, resetting: 0 })
  })

  test('that is aborted rejects at once with the reason; the connection is quiet before it is lent again', async () => {
    const { clock, pool, server } = scene()
    const controller = new AbortController()
    const reason = new Error('enough')
    const rows: unknown[] = []
    const read = fate(
      (async () => {
        for await (const row of pool.stream('numbers', [], { batch: 10, signal: controller.signal }))
          rows.push(row)
      })(),
      clock,
    )
    await clock.advance(35)
    controller.abort(reason)
    await clock.advance(0)
    expect(read).toMatchObject({ state: 'rejected', error: reason, at: 35 })
    const next = fate(pool.query('next'))
    await clock.advance(500)
    expect(next.state).toBe('resolved')
    expect(server.misuse).toEqual([])
    expect(rows.length).toBeLessThan(100)
  })

  test('keeps no row that has been read, also while a signal could end it', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const { clock, pool } = scene()
    const { signal } = new AbortController()
    const rows = pool.stream<object>('numbers', [], { batch: 10, signal })[Symbol.asyncIterator]()
    const read: WeakRef<object>[] = []
    while (read.length < 90) read.push(new WeakRef((await clock.until(rows.next())).value))
    // What a turn of the event loop has touched is kept until its end.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    const kept = read.slice(0, 50).filter((row) => row.deref() !== undefined).length
    await clock.until(Promise.resolve(rows.return?.()))
    expect(kept).toBe(0)
  })

  test('that was aborted before, or while it waited for a connection, sends nothing', async () => {
    const { clock, pool, sent, errorOf } = scene()
    const first = pool.stream('numbers', [], { signal: AbortSignal.abort(new Error('no')) })
    expect(await errorOf(first[Symbol.asyncIterator]().next())).toMatchObject({ message: 'no' })
    const lease = await clock.until(pool.acquire())
    const controller = new AbortController()
    const waiting = fate(
      pool.stream('numbers', [], { signal: controller.signal })[Symbol.asyncIterator]().next(),
    )
    controller.abort(new Error('no longer'))
    await clock.advance(0)
    expect(waiting.error).toMatchObject({ message: 'no longer' })
    lease.release()
    expect(sent()).toEqual([])
  })

  test('passes on the statement’s own error, and CONNECTION_LOST for a lost connection', async () => {
    const { clock, pool, server, errorOf } = scene()
    const error = new FakeError('statement', 'no such table')
    server.answer('bad', error)
    expect(await errorOf(pool.stream('bad')[Symbol.asyncIterator]().next())).toBe(error)
    const rows = pool.stream('numbers', [], { batch: 1 })[Symbol.asyncIterator]()
    await clock.until(rows.next())
    server.kill()
    const lost = async () => {
      for (;;) if ((await rows.next()).done === true) return
    }
    expect(await errorOf(lost())).toMatchObject({ code: 'CONNECTION_LOST' })
    await clock.advance(100)
    expect(pool.stats()).toMatchObject({ leased: 0 })
  })

  test('is refused clearly where the driver cannot', async () => {
    const { pool, errorOf } = scene({ driver: { without: ['stream'] } })
    expect(await errorOf(pool.stream('numbers')[Symbol.asyncIterator]().next())).toMatchObject({
      code: 'INVALID_OPTION',
    })
    expect(await errorOf(pool.stream('x', [], { batch: 0 })[Symbol.asyncIterator]().next())).toMatchObject({
      option: 'batch',
    })
  })
})
