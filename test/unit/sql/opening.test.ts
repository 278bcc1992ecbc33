import { describe, expect, test } from 'vitest'
import { Opening } from '../../../src/sql/opening.ts'

/** A lease that writes down what it is asked. */
function scene({ fails = false } = {}) {
  const asked: string[] = []
  const host = {
    read: (text: string) => ({ text, params: [] }),
    query: async () => {
      asked.push('query')
      return { rows: [], rowCount: 0, fields: [] }
    },
    beginForOthers: async () => {
      asked.push('begin')
      if (fails) throw new Error('no')
    },
    queryWithBegin: async () => {
      asked.push('begin and query')
      return { rows: [], rowCount: 0, fields: [] }
    },
  }
  return { asked, opening: new Opening(host as never, {}), host }
}

describe('the BEGIN of a transaction', () => {
  test('is put off until something is sent', () => {
    const { asked, opening } = scene()
    expect([opening.isDue, opening.outcome, asked]).toEqual([true, undefined, []])
  })

  test('travels with the first statement, and has happened then', async () => {
    const { asked, opening } = scene()
    const result = opening.query('select 1', undefined, undefined)
    expect([opening.isDue, asked]).toEqual([false, ['begin and query']])
    await expect(opening.outcome).resolves.toBeUndefined()
    await expect(result).resolves.toMatchObject({ rowCount: 0 })
    await opening.beginNow()
    expect(asked).toEqual(['begin and query'])
  })

  test('is sent alone, once, where something cannot travel with it', async () => {
    const { asked, opening } = scene()
    await Promise.all([opening.beginNow(), opening.beginNow()])
    expect([opening.isDue, asked]).toEqual([false, ['begin']])
  })

  test.each([
    ['one with a limit', 'select 1', { timeoutMs: 10 }],
    ['several in one text', 'select 1; select 2', undefined],
  ])('does not travel with %s', async (_, text, options) => {
    const { asked, opening } = scene()
    await opening.query(text, undefined, options)
    expect([opening.isDue, asked]).toEqual([false, ['begin', 'query']])
  })

  test('that fails is looked at later, if at all', async () => {
    const { opening } = scene({ fails: true })
    const begun = opening.beginNow()
    await new Promise((resolve) => setImmediate(resolve))
    await expect(begun).rejects.toThrow('no')
    await expect(opening.outcome).rejects.toThrow('no')
  })

  test('may have happened before', () => {
    const { host } = scene()
    expect(new Opening(host as never, {}, Promise.resolve()).isDue).toBe(false)
  })
})
