import { describe, expect, test } from 'vitest'
import { ConnectionLostError } from '../../../src/contract/errors.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, type Options, sqlWorld } from '../../support/world.ts'

/** A pool that has learnt that these texts are fast. */
async function learnt(options: Options = {}, texts: readonly string[] = ['select 1']) {
  const world = sqlWorld(options, { server: { latencyMs: 1 } })
  for (const text of texts) await world.clock.until(world.pool.query(text))
  return world
}

describe('statements known to be fast', () => {
  test('share one connection, up to 32 of them, and each gets its own answer', async () => {
    const { clock, pool, server } = await learnt()
    server.answer(/^select (\d+)$/, ({ sql }) => [{ n: Number(sql.slice(7)) }])
    for (let i = 0; i < 32; i++) await clock.until(pool.query(`select ${i}`))
    const before = server.peak
    const answers = Array.from({ length: 32 }, (_, i) => fate(pool.query(`select ${i}`)))
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0 })
    await clock.advance(100)
    expect(answers.map(({ value }) => value?.rows[0])).toEqual(Array.from({ length: 32 }, (_, n) => ({ n })))
    expect(server.peak).toBe(before)
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('beyond 32 wait for a place, and get it as soon as one is free', async () => {
    const { clock, pool } = await learnt({ max: 1 })
    const answers = Array.from({ length: 100 }, () => fate(pool.query('select 1')))
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 68 })
    await clock.advance(200)
    expect(answers.every(({ state }) => state === 'resolved')).toBe(true)
    expect(pool.stats()).toMatchObject({ waiting: 0, idle: 1 })
  })

  test('do not share before they were measured, nor when the call says no', async () => {
    const { clock, pool } = await learnt({ max: 5 })
    const first = [pool.query('select 2'), pool.query('select 2')]
    const own = [
      pool.query('select 1', [], { multiplex: false }),
      pool.query('select 1', [], { multiplex: false }),
    ]
    await clock.advance(50)
    await clock.until(Promise.all([...first, ...own]))
    expect(pool.stats().created).toBe(4)
  })

  test('one that has become slow stands in nobody’s way: newcomers go elsewhere', async () => {
    const { clock, pool, server } = await learnt({ max: 2 })
    server.answer('select 1', { rows: [], takesMs: 1_000 })
    const slow = fate(pool.query('select 1'))
    await clock.advance(10)
    server.answer('select 1', [{ one: 1 }])
    const fast = fate(pool.query('select 1'), clock)
    await clock.advance(50)
    expect(fast.state).toBe('resolved')
    expect(slow.state).toBe('pending')
  })

  test('an error touches only its own statement', async () => {
    const { clock, pool, server } = await learnt({}, ['select 1', 'select bad'])
    server.answer('select bad', new FakeError('statement', 'bad'))
    const results = [pool.query('select 1'), pool.query('select bad'), pool.query('select 1')].map((p) =>
      fate(p),
    )
    await clock.advance(50)
    expect(results.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'resolved'])
  })
})

describe('a shared connection', () => {
  test('is given back when somebody needs one of his own', async () => {
    const { clock, pool } = await learnt({ max: 1 })
    const reads = Array.from({ length: 10 }, () => fate(pool.query('select 1')))
    const lease = fate(pool.acquire())
    const late = fate(pool.query('select 1'))
    await clock.advance(30)
    expect(reads.every(({ state }) => state === 'resolved')).toBe(true)
    expect(lease.state).toBe('resolved')
    expect(late.state).toBe('pending')
    lease.value?.release()
    await clock.advance(30)
    expect(late.state).toBe('resolved')
  })

  test('is refreshed, drained and closed like any other', async () => {
    const { clock, pool, server } = await learnt()
    const read = fate(pool.query('select 1'))
    pool.refresh()
    await clock.advance(20)
    expect(read.state).toBe('resolved')
    expect(pool.stats()).toMatchObject({ total: 0, closed: { refresh: 1 } })
    const last = fate(pool.query('select 1'))
    await clock.advance(20)
    const report = await clock.until(pool.close())
    expect(last.state).toBe('resolved')
    expect(report.destroyed).toBe(0)
    expect(server.open).toBe(0)
  })

  test('a call that gives up beside others leaves them alone; alone, the server is told', async () => {
    const { clock, pool, server, asked } = await learnt()
    server.answer('select 1', { rows: [], takesMs: 500 })
    const abort = new AbortController()
    const beside = [fate(pool.query('select 1', [], { signal: abort.signal })), fate(pool.query('select 1'))]
    abort.abort(new Error('enough'))
    await clock.advance(3)
    expect(beside.map(({ state }) => state)).toEqual(['rejected', 'pending'])
    expect(asked('cancel')).toEqual([])
    await clock.advance(2_000)
    expect(beside[1]?.state).toBe('resolved')

    server.answer('select 3', { rows: [], takesMs: 1 })
    await clock.until(pool.query('select 3'))
    server.answer('select 3', { rows: [], takesMs: 500 })
    const alone = fate(pool.query('select 3', [], { timeoutMs: 20 }))
    await clock.advance(30)
    expect(alone.state).toBe('rejected')
    expect(asked('cancel')).toEqual(['cancel'])
    await clock.advance(1_000)
    expect(pool.stats()).toMatchObject({ leased: 0, resetting: 0 })
    expect(server.misuse).toEqual([])
  })

  test('whose connection dies fails what may have run, and only that', async () => {
    const { clock, pool, server } = await learnt({ max: 2 })
    server.answer('select 1', { rows: [{ one: 1 }], takesMs: 50 })
    const reads = Array.from({ length: 5 }, () => fate(pool.query('select 1')))
    await clock.advance(20)
    const [connection] = server.connections
    if (connection !== undefined) server.kill(connection)
    await clock.advance(1_000)
    const failed = reads.filter(({ state }) => state === 'rejected')
    expect(failed.length).toBeGreaterThan(0)
    for (const { error } of failed) expect(error).toBeInstanceOf(ConnectionLostError)
    expect(reads.every(({ state }) => state !== 'pending')).toBe(true)
    expect(pool.stats()).toMatchObject({ waiting: 0, leased: 0 })
  })

  test('takes no writes, no locks and nothing that is more than one statement', async () => {
    const texts = [
      'insert into t values (1)',
      'select 1 for update',
      'select nextval($1)',
      'select my_function()',
    ]
    const { clock, pool } = await learnt({ max: 4 }, texts)
    for (const text of texts) void pool.query(text)
    await clock.advance(0)
    expect(pool.stats().leased + pool.stats().connecting).toBe(4)
    await clock.advance(100)
  })
})

describe('nothing is shared', () => {
  test.each<[string, Options]>([
    ['with onAcquire', { onAcquire: () => {} }],
    ['with onRelease', { onRelease: () => {} }],
    ['with a full reset', { reset: 'full' }],
    ['with a reset of the user’s own', { reset: () => {} }],
    ['behind a pooler', { pooler: 'transaction' }],
    ['when it is switched off', { multiplex: 'off' }],
  ])('%s', async (_, options) => {
    const { clock, pool } = await learnt({ max: 3, ...options })
    const reads = Array.from({ length: 3 }, () => pool.query('select 1'))
    await clock.until(Promise.all(reads))
    expect(pool.stats().created).toBe(3)
  })
})
