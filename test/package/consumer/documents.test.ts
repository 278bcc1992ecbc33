import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { installInto } from '../../../scripts/cached.mjs'
import { run, tool } from '../../../scripts/run.mjs'
import { committedFiles, read } from '../../house/files.ts'

// Every ```ts block of the documents compiles as it stands; ```ts fragment marks what is not meant to.

const documents = committedFiles().filter((path) =>
  /^(README\.md|docs\/(guide|reference)\/.*\.md)$/.test(path),
)
const blocks = documents.flatMap((path) =>
  [...read(path).matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ''], index) => ({
    name: `${path} #${index + 1}`,
    file: `${path.replace(/\W/g, '-')}-${index + 1}.mts`,
    code,
  })),
)

/** What a document may take for granted once it has been introduced: the pool, and packages that are not ours. */
const GIVEN = `
declare const pool: import('rockpool').SqlPool<import('pg').Client>
declare const url: string
declare module '*'
`

const folder = mkdtempSync(join(tmpdir(), 'rockpool-documents-'))
afterAll(() => rmSync(folder, { recursive: true }))

let complaints = ''
beforeAll(async () => {
  await installInto(folder, [inject('tarball'), 'pg@8.23.1', '@types/pg@8.23.1', '@types/node@20.19.43'])
  const programs = join(folder, 'programs')
  mkdirSync(programs)
  writeFileSync(join(folder, 'given.d.ts'), GIVEN)
  for (const { file, code } of blocks) writeFileSync(join(programs, file), `${code}\nexport {}\n`)
  const compilerOptions = {
    module: 'nodenext',
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    types: ['node'],
    strict: true,
    experimentalDecorators: true,
    skipLibCheck: true,
    noEmit: true,
    rootDir: '.',
  }
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ compilerOptions, include: ['given.d.ts', 'programs/*'] }))
  complaints = (
    await run(process.execPath, [tool('tsc'), '-p', config, '--pretty', 'false'], { cwd: folder })
  ).output
})

test('the documents hold programs', () => {
  expect(documents).toContain('README.md')
  expect(blocks.length).toBeGreaterThan(0)
  expect(
    complaints.split('\n').filter((line) => /error/.test(line) && !line.startsWith('programs/')),
  ).toEqual([])
})

test.each(blocks.map(({ name, file }) => [name, file]))('%s compiles', (_, file = '') => {
  expect(complaints.split('\n').filter((line) => line.includes(file))).toEqual([])
})
