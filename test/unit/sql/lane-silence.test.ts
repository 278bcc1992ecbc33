import { describe, expect, test } from 'vitest'
import { sqlWorld } from '../../support/world.ts'

// Found by the simulation: a lane kept its connection for as long as somebody did not answer, and nobody else got it.

async function lane() {
  const around = sqlWorld({ max: 1, resetTimeoutMs: 100, closeTimeoutMs: 100 }, { server: { latencyMs: 1 } })
  around.server.answer('select 1', [{ one: 1 }])
  // The first run is measured; from then on the text shares.
  for (let run = 0; run < 2; run++) await around.until(around.pool.query('select 1'))
  return around
}

const short = { timeoutMs: 10 }

describe('a lane whose statements nobody waits for any more', () => {
  test('lets go of a connection that is silent', async () => {
    const { pool, server, clock, until, errorOf } = await lane()
    server.vanish()
    expect(await errorOf(pool.query('select 1', [], short))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    await clock.advance(300)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { abandoned: 1 } })
    expect((await until(pool.query('select 1'))).rows).toEqual([{ one: 1 }])
  })

  test('lets go of it also when there were several', async () => {
    const { pool, server, clock, until } = await lane()
    server.vanish()
    const given = [pool.query('select 1', [], short), pool.query('select 1', [], { timeoutMs: 20 })]
    const ends = await until(Promise.allSettled(given))
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await clock.advance(200)
    expect(pool.stats().leased).toBe(0)
  })

  test('lets go of it when the server does not answer the cancel', async () => {
    const { pool, server, clock, until, errorOf } = await lane()
    server.next('cancel', { never: true }).next('query', { latencyMs: 50 })
    expect(await errorOf(pool.query('select 1', [], short))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    await clock.advance(300)
    expect(pool.stats()).toMatchObject({ leased: 0, closed: { dirty: 1 } })
    expect((await until(pool.query('select 1'))).rows).toEqual([{ one: 1 }])
  })

  test('keeps its connection for those who still wait', async () => {
    const { pool, server, clock, until, errorOf } = await lane()
    server.next('query', { latencyMs: 50 })
    const patient = pool.query('select 1')
    expect(await errorOf(pool.query('select 1', [], short))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect((await until(patient)).rows).toEqual([{ one: 1 }])
    await clock.advance(10)
    expect(pool.stats()).toMatchObject({ idle: 1, created: 1 })
  })

  test('lets go of it when the last who waited has his answer, and the others never get one', async () => {
    const { pool, server, clock, until, errorOf } = await lane()
    server.next('query', { latencyMs: 30 }, { never: true })
    const patient = pool.query('select 1')
    expect(await errorOf(pool.query('select 1', [], short))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect((await until(patient)).rows).toEqual([{ one: 1 }])
    await clock.advance(300)
    expect(pool.stats()).toMatchObject({ leased: 0, resetting: 0 })
    expect((await until(pool.query('select 1'))).rows).toEqual([{ one: 1 }])
  })

  test('runs nothing again when the connection dies afterwards', async () => {
    const { pool, server, clock, sent, errorOf } = await lane()
    server.next('query', { latencyMs: 50 })
    const options = { ...short, idempotent: true }
    expect(await errorOf(pool.query('select 1', [], options))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    const before = sent().length
    server.kill()
    await clock.advance(300)
    expect(sent().length).toBe(before)
  })
})
