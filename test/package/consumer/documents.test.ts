import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { installInto } from '../../../scripts/cached.mjs'
import { AT_HAND, blocks, visiting } from '../../docs/documents.ts'
import { runs } from '../../docs/runs.ts'
import { compile } from '../../docs/types.ts'
import { startPostgres } from '../../support/postgres.ts'
import { linkOurs } from './app.ts'

// Every ts block of the documents compiles against the packed package, and what uses packages that are not ours runs.

/** Which the repository has no other use for. */
const PACKAGES = [
  'fastify@5.12.8',
  'express@5.3.0',
  '@types/express@5.0.6',
  '@nestjs/common@12.5.1',
  '@nestjs/core@12.5.1',
  '@nestjs/platform-express@12.5.1',
  'rxjs@7.8.2',
]

/** As the repository has them: what a program, an ORM and its types take for the same must be one copy. */
const OURS = [
  ...AT_HAND.filter((name) => !name.includes('/')),
  'oracledb',
  ...['node', 'oracledb', 'pg'].map((name) => `@types/${name}`),
]

const server = await startPostgres()
const folder = mkdtempSync(join(tmpdir(), 'rockpool-documents-'))
afterAll(() => rmSync(folder, { recursive: true }))

const typed = blocks.filter(({ language }) => language === 'ts')
let complaints = new Map<string, string[]>()
beforeAll(async () => {
  await installInto(folder, [inject('tarball'), ...PACKAGES])
  linkOurs(folder, OURS)
  complaints = await compile(typed, folder)
})

test('the documents hold programs', () => {
  expect(typed.length).toBeGreaterThan(0)
  expect(visiting.length).toBeGreaterThan(0)
  expect(complaints.get('')).toBeUndefined()
})

test.each(typed.map(({ name }) => name))('%s compiles', (name) => {
  expect(complaints.get(name)).toBeUndefined()
})

describe('runs', () => {
  test.each(visiting.map((block) => [block.name, block] as const))('%s', async (_, block) => {
    await runs(block, { folder, server })
  })
})
