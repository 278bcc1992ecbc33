import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { run, tool } from '../../scripts/run.mjs'

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))
const reporter = fileURLToPath(new URL('../../scripts/summary-reporter.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'rockpool-runner-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function countsOf(file: string) {
  const counts = join(folder, `${file}.json`)
  const args = ['run', '--root', fixtures, `--reporter=${reporter}`, file]
  const { code, output } = await run(process.execPath, [tool('vitest'), ...args], {
    env: { ...process.env, ROCKPOOL_COUNTS: counts },
  })
  expect(code).not.toBe(0)
  return { ...JSON.parse(readFileSync(counts, 'utf8')), output }
}

test('passed, failed and skipped are counted, a broken hook is a failure, a skip has its reason', async () => {
  const { passed, failed, skipped } = await countsOf('outcomes.case.ts')
  expect({ passed, failed }).toEqual({ passed: 1, failed: 2 })
  expect(skipped).toEqual([
    { name: 'skips', reason: 'needs a moon' },
    { name: 'group > skips too', reason: 'no sun' },
    { name: 'hook > never runs', reason: 'no reason given' },
  ])
})

test('an error outside of every test is a failure', async () => {
  const { passed, failed, output } = await countsOf('unhandled.case.ts')
  expect({ passed, failed }).toEqual({ passed: 1, failed: 1 })
  expect(output).toContain('late')
})

test('a file that does not load is a failure', async () => {
  const { passed, failed, output } = await countsOf('broken.case.ts')
  expect({ passed, failed }).toEqual({ passed: 0, failed: 1 })
  expect(output).toContain('not-there.ts')
})
