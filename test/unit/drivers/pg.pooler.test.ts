import { expect, test } from 'vitest'
import type { PgClient } from '../../../src/drivers/pg/client.ts'
import { describe as describeColumns } from '../../../src/drivers/pg/description.ts'
import { losesNames } from '../../../src/drivers/pg/errors.ts'
import { Link } from '../../../src/drivers/pg/link.ts'
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

test('what answers look like is remembered where the server itself answers, and never behind a pooler', () => {
  const columns = describeColumns([{ name: 'a', dataTypeID: 23, format: 'text' }])
  const isRemembered = (processID: number | null) => {
    const link = new Link(silentClient(processID))
    link.remember('s1', columns)
    return link.descriptionOf('s1') === columns
  }
  expect(isRemembered(4711)).toBe(true)
  expect(isRemembered(1_297_870_710)).toBe(false)
})

/** A client that says nothing more. */
function silentClient(processID: number | null): PgClient {
  const silent = { on: () => {}, once: () => {} }
  return { processID, ...silent, connection: { ...silent, stream: silent } } as unknown as PgClient
}
