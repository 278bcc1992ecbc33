import { describe, expect, test } from 'vitest'
import { compare } from '../../comparison/comparison.ts'
import { onNewerNode } from '../../support/newer-node.ts'
import { startPostgres } from '../../support/postgres.ts'
import type { Told } from './program.ts'

// Slonik wants Node 24: each case is tried by a program there, and told here.

const server = await startPostgres()
const { code, told, output } = await onNewerNode<Told>({
  file: 'test/orm/slonik/program.ts',
  packages: { name: 'slonik', versions: ['slonik@49.10.9', 'pg@8.23.1'] },
  env: { ROCKPOOL_PG_URL: server.url(), ROARR_LOG: 'false' },
})
const compared = told.filter(({ verdict }) => verdict !== undefined)
const tried = told.filter(({ verdict }) => verdict === undefined)

test('the program has come to its end', () => {
  expect({ code, output }).toMatchObject({ code: 0 })
  expect(tried.length).toBeGreaterThan(25)
  expect(compared.length).toBeGreaterThan(15)
})

test.each(tried.map(({ name, error }) => [name, error] as const))('%s', (_, error) => {
  expect(error).toBeUndefined()
})

describe('Slonik on its own pool and on rockpool', () => {
  const sides = {
    original: "Slonik 49's own pool",
    theirs: async () => 'theirs' as const,
    ours: async () => 'ours' as const,
  }
  const comparisons = compared.map(({ name, verdict = 'same', reason = '', ...seen }) => ({
    name,
    verdict,
    reason,
    run: async (side: 'theirs' | 'ours') => seen[side] ?? '',
  }))
  compare('docs/orm/slonik.md', sides, comparisons)
})
