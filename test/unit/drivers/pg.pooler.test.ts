import { expect, test } from 'vitest'
import type { PgClient } from '../../../src/drivers/pg/client.ts'
import { losesNames } from '../../../src/drivers/pg/errors.ts'
import { confirmPooler } from '../../../src/drivers/pg/pooler.ts'

const lost = Object.assign(new Error('prepared statement "s1" does not exist'), { code: '26000' })

/** A client whose login told this number of a process. */
const clientOf = (processID: number | null) => ({ processID }) as PgClient

test.each([
  ['26000', true],
  ['42P05', true],
  ['0A000', false],
  ['57014', false],
])('%s says that a name is not known: %s', (code, expected) => {
  expect(losesNames(Object.assign(new Error(), { code }))).toBe(expected)
})

test.each([1_297_870_710, -5, 0])(
  'a process cannot have the number %d: a pooler has told it',
  async (pid) => {
    expect(await confirmPooler(clientOf(pid), lost)).toBe(true)
  },
)

test('without a lost name, or a number to compare, nothing is asked', async () => {
  const stale = Object.assign(new Error('cached plan must not change result type'), { code: '0A000' })
  expect(await confirmPooler(clientOf(1_297_870_710), stale)).toBe(false)
  expect(await confirmPooler(clientOf(null), lost)).toBe(false)
})
