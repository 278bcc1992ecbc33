import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './entries.mjs'
import { run, tool } from './run.mjs'

/**
 * @typedef {{ passed: number, failed: number, skipped: { name: string, reason: string }[] }} Counts
 * @typedef {object} Lane a program whose exit code tells whether it passed; more than one result goes as Counts
 *   into the file named by ROCKPOOL_COUNTS
 * @property {string} name
 * @property {readonly string[]} command a file for this Node, and its arguments
 * @property {boolean} [heavy] needs minutes or downloads: runs with CI=true, or when asked for by name
 * @property {boolean} [counts] writes Counts
 */

/** @type {readonly Lane[]} */
export const lanes = [
  { name: 'lint', command: [tool('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'typecheck', command: [tool('tsc'), '-p', 'tsconfig.json'] },
  tests('integration'),
  tests('unit'),
  { name: 'types', command: [join(root, 'scripts/types.mjs')], counts: true },
  tests('compat'),
  tests('orm'),
  tests('chaos-quick'),
  tests('documents'),
  tests('package'),
  { ...tests('orm-newer'), heavy: true },
  { name: 'unused', command: [tool('knip')], heavy: true },
  { name: 'docs', command: [tool('typedoc')], heavy: true },
  { ...tests('consumer'), heavy: true },
  { name: 'runtimes', command: [join(root, 'scripts/runtimes.mjs')], heavy: true, counts: true },
]

/**
 * The tests of one project of vitest.config.ts.
 * @param {string} project
 * @returns {Lane}
 */
function tests(project) {
  const reporter = `--reporter=${join(root, 'scripts/summary-reporter.mjs')}`
  return { name: project, command: [tool('vitest'), 'run', '--project', project, reporter], counts: true }
}

/** Something hangs; a busy machine takes several times what an idle one does. */
const LIMIT_MS = 40 * 60_000

/**
 * @param {Lane} lane
 * @returns {Promise<Counts>}
 */
export async function runLane(lane) {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-lane-'))
  const file = join(folder, 'counts.json')
  // Test tools behave differently in production, and none of them is meant to.
  const { NODE_ENV: _, ...env } = process.env
  const plain = process.stdout.isTTY || env.FORCE_COLOR !== undefined ? {} : { NO_COLOR: '1' }
  const result = await run(process.execPath, lane.command, {
    env: { ...env, ...plain, ROCKPOOL_COUNTS: file },
    timeoutMs: LIMIT_MS,
  })
  const counts = (lane.counts && readCounts(file)) || { passed: 0, failed: 0, skipped: [] }
  rmSync(folder, { recursive: true })
  if (!lane.counts && result.code === 0) counts.passed++
  const silent = counts.passed + counts.failed + counts.skipped.length === 0
  const unexplained = silent || (result.code !== 0 && counts.failed === 0)
  if (unexplained) counts.failed++
  const why = unexplained ? `\nfailed: ${lane.name} ended with exit code ${result.code}\n` : ''
  // In one piece: another lane may be running.
  const told = lane.counts || unexplained ? result.output : ''
  const words = `${lane.name}: ${summary(counts)}`
  process.stdout.write(`${why}${told}${words.padEnd(60)} ${(result.ms / 1000).toFixed(1)} s\n`)
  return counts
}

/**
 * @param {string} file
 * @returns {Counts | undefined}
 */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined // the lane died before it could tell
  }
}

/** @param {Counts} counts */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`
}
