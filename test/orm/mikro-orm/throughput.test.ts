import { expect, test } from 'vitest'
import { ask, startPostgres } from '../../support/postgres.ts'
import { ACCOUNTS, spread } from '../throughput.ts'
import type { Measured } from './measured.ts'
import { onNewerNode } from './newer-node.ts'

const server = await startPostgres()

test('a lookup by primary key costs about what it costs on its own pool', async () => {
  await ask(server, ACCOUNTS)
  const { code, told, output } = await onNewerNode<Measured>('measured', { ROCKPOOL_PG_URL: server.url() })
  expect(code, output.slice(-2_000)).toBe(0)
  const found = told[0] ?? { rate: [], cpu: [] }
  process.stdout.write(`MikroORM, lookups on rockpool by those on its own pool: ${spread(found)}\n`)
  // A loaded machine tells little more.
  expect(Math.min(...found.cpu)).toBeLessThan(1.3)
})
