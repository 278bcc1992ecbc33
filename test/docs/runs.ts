import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { ask } from '../support/postgres.ts'
import type { Block } from './blocks.ts'
import { tables } from './documents.ts'
import { asPattern, programOf, runProgram } from './program.ts'

/** Runs the block in a folder where it finds its packages: it ends by itself, or as it is told, and prints what it should. */
export async function runs(
  block: Block,
  { folder, server, env }: { folder: string; server: EmbeddedPostgres; env?: Record<string, string> },
): Promise<void> {
  await ask(server, `drop schema public cascade; create schema public; ${tables}`)
  const { extension, source } = programOf(block)
  const file = join(folder, `program.${extension}`)
  writeFileSync(file, source)
  const outcome = await runProgram(file, {
    env: { DATABASE_URL: server.url(), PORT: String(await freePort()), ...env },
    steps: block.steps,
  })
  const signal = block.steps.find((step) => step.startsWith('SIG'))
  // Who has a handler of his own ends with a code.
  const endedWell = outcome.code === 0 || (signal !== undefined && outcome.signal === signal)
  expect({ ...outcome, endedWell }).toMatchObject({ endedWell: true, stderr: '' })
  if (block.output !== undefined) expect(outcome.stdout).toMatch(asPattern(block.output))
  const requests = block.steps.filter((step) => step.startsWith('GET '))
  expect(outcome.answers).toEqual(requests.map(() => JSON.stringify({ name: 'Ada' })))
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
