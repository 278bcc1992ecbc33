import { describe, expect, test } from 'vitest'
import { sqlWorld } from '../../support/world.ts'

/** Which names the statements were sent under. */
function scene(around = {}) {
  const world = sqlWorld({ multiplex: 'off', max: 1 }, around)
  const names: (string | undefined)[] = []
  const query = world.driver.query
  world.driver.query = (connection, sql, params, options) => {
    names.push(options.name)
    return query(connection, sql, params, options)
  }
  return { ...world, names }
}

describe('prepare', () => {
  test('by default happens at the fifth use of a text with parameters on a connection', async () => {
    const { clock, pool, names } = scene()
    for (let n = 0; n < 7; n++) await clock.until(pool.query('select $1', [n]))
    expect(names.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined])
    expect(names[4]).toBeTypeOf('string')
    expect(new Set(names.slice(4)).size).toBe(1)
  })

  test('never happens by itself to a text without parameters', async () => {
    const { clock, pool, names } = scene()
    for (let n = 0; n < 9; n++) await clock.until(pool.query('select 1'))
    expect(new Set(names)).toEqual(new Set([undefined]))
  })

  test('does not happen by itself where the text names a time in words, which would stay that of the first run', async () => {
    const { clock, pool, names } = scene()
    const texts = ["'now'", "' Today 12:00'", "timestamp 'tomorrow'", '$$yesterday$$', "E'now'"]
    for (const text of texts)
      for (let n = 0; n < 9; n++) await clock.until(pool.query(`select ${text}, $1`, [n]))
    expect(new Set(names)).toEqual(new Set([undefined]))
    await clock.until(pool.query("select 'now', $1", [1], { prepare: true }))
    expect(names.at(-1)).toBeTypeOf('string')
    names.length = 0
    for (let n = 0; n < 9; n++) await clock.until(pool.query("select 'nowhere', now(), $1", [n]))
    expect(names.at(-1)).toBeTypeOf('string')
  })

  test('true prepares at once, false never', async () => {
    const { clock, pool, names } = scene()
    await clock.until(pool.query('a', [], { prepare: true }))
    for (let n = 0; n < 9; n++) await clock.until(pool.query('b $1', [1], { prepare: false }))
    expect(names[0]).toBeTypeOf('string')
    expect(new Set(names.slice(1))).toEqual(new Set([undefined]))
  })

  test('makes at most 100 names on a connection', async () => {
    const { clock, pool, names } = scene()
    for (let n = 0; n < 150; n++) await clock.until(pool.query(`q${n} $1`, [1], { prepare: true }))
    expect(names.filter((name) => name !== undefined).length).toBe(100)
    await clock.until(pool.query('q3 $1', [1]))
    expect(names.at(-1)).toBe(names[3])
  })

  test('names are a connection’s own', async () => {
    const { clock, pool, names } = scene()
    for (let n = 0; n < 5; n++) await clock.until(pool.query('select $1', [n]))
    pool.refresh()
    await clock.until(pool.query('select $1', [5]))
    expect(names[4]).toBeTypeOf('string')
    expect(names[5]).toBeUndefined()
  })

  test('a name that the server lost is forgotten, and the statement runs once more', async () => {
    const { clock, pool, server, names } = scene()
    server.answer('select $1', [{ n: 1 }])
    await clock.until(pool.query('select $1', [1], { prepare: true }))
    server.forgetPrepared()
    const { rows } = await clock.until(pool.query('select $1', [2], { prepare: true }))
    expect(rows).toEqual([{ n: 1 }])
    expect(names[1]).toBe(names[0])
    expect(names[2]).toBeUndefined()
    await clock.until(pool.query('select $1', [3], { prepare: true }))
    expect(names[3]).not.toBe(names[0])
  })

  test('within a transaction the error is its owner’s: nothing runs again', async () => {
    const { clock, pool, server, errorOf, names } = scene()
    await clock.until(pool.query('select $1', [1], { prepare: true }))
    server.forgetPrepared()
    const work = pool.transaction(async (tx) => {
      await tx.query('first')
      await tx.query('select $1', [1], { prepare: true })
    })
    expect(await errorOf(work)).toMatchObject({ code: 'NOT_PREPARED' })
    expect(names.filter((name) => name !== undefined).length).toBe(2)
  })

  test('does not happen where the driver cannot', async () => {
    const { clock, pool, names } = scene({ driver: { without: ['preparesByName'] } })
    for (let n = 0; n < 9; n++) await clock.until(pool.query('select $1', [n], { prepare: true }))
    expect(new Set(names)).toEqual(new Set([undefined]))
  })
})
