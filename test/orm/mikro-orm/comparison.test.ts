import { describe, expect, test } from 'vitest'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { startPostgres } from '../../support/postgres.ts'
import { behaviours } from './behaviours.ts'
import { onNewerNode } from './newer-node.ts'
import type { Seen } from './tried.ts'

const server = await startPostgres()
const { code, told, output } = await onNewerNode<Seen>('tried', { ROCKPOOL_PG_URL: server.url() })

test('the program has come to its end', () => {
  expect(code, output.slice(-2_000)).toBe(0)
})

describe('MikroORM on pg.Pool and on rockpool', () => {
  const comparisons: Comparison<'theirs' | 'ours'>[] = behaviours.map((behaviour) => ({
    ...behaviour,
    run: async (side) => told.find(({ name }) => name === behaviour.name)?.[side] ?? 'nothing was told',
  }))
  const sides = {
    original: 'MikroORM 7.2 on pg.Pool',
    theirs: async () => 'theirs' as const,
    ours: async () => 'ours' as const,
  }
  compare('docs/orm/mikro-orm.md', sides, comparisons)
})
