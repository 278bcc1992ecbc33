import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, tool } from '../../scripts/run.mjs'
import type { Block } from './blocks.ts'

/** What a document may take for granted once it has been introduced. */
const GIVEN = `declare const pool: import('rockpool').SqlPool<import('pg').Client>\n`

/** Type-checks blocks, each as a program of its own; gives complaints by the block's name, under `''` those about anything else. */
export async function compile(
  blocks: readonly Block[],
  folder: string,
  options: Record<string, unknown> = {},
): Promise<Map<string, string[]>> {
  const programs = join(folder, 'programs')
  mkdirSync(programs, { recursive: true })
  writeFileSync(join(folder, 'given.d.ts'), GIVEN)
  const nameOf = new Map(blocks.map(({ name }) => [`${name.replace(/\W/g, '-')}.mts`, name]))
  blocks.forEach(({ code }, index) => {
    writeFileSync(join(programs, [...nameOf.keys()][index] as string), `${code}\nexport {}\n`)
  })
  const compilerOptions = {
    module: 'nodenext',
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    types: ['node'],
    strict: true,
    experimentalDecorators: true,
    skipLibCheck: true,
    noEmit: true,
    ...options,
  }
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ compilerOptions, include: ['given.d.ts', 'programs/*'] }))
  const { output } = await run(process.execPath, [tool('tsc'), '-p', config, '--pretty', 'false'], {
    cwd: folder,
  })
  const complaints = new Map<string, string[]>()
  const fragments = new Set(blocks.filter(({ fragment }) => fragment !== undefined).map(({ name }) => name))
  for (const line of output.split('\n').filter((text) => /\berror\b/.test(text))) {
    const name = nameOf.get(/^programs\/([^(]*)/.exec(line)?.[1] ?? '') ?? ''
    // A fragment may name what is the reader's own.
    if (fragments.has(name) && / TS2304: Cannot find name /.test(line)) continue
    complaints.set(name, [...(complaints.get(name) ?? []), line])
  }
  return complaints
}
