import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.mjs'
import { ensureInstalled } from './install.mjs'

// `npm test` runs the quick lanes, `CI=true npm test` all of them, `npm test -- unit package` those.

/** @type {import('./lanes.mjs').Counts} */
const total = { passed: 0, failed: 0, skipped: [] }
const inCi = /^(1|true)$/i.test(process.env.CI ?? '')

if (await ensureInstalled()) {
  const { lanes, runLane, summary } = await import('./lanes.mjs')
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !lanes.some((lane) => lane.name === name))
  for (const name of unknown)
    fail(`no lane is called ${name}; there are: ${lanes.map((l) => l.name).join(' ')}`)
  const left = lanes.filter((lane) => lane.heavy && !inCi && wanted.length === 0)
  const chosen = lanes.filter((lane) =>
    wanted.length === 0 ? inCi || !lane.heavy : wanted.includes(lane.name),
  )
  const waiting = [...chosen]
  // Two at a time: most of them wait for servers more than they compute.
  const worker = async () => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
      const counts = await runLane(lane)
      total.passed += counts.passed
      total.failed += counts.failed
      total.skipped.push(...counts.skipped)
    }
  }
  await Promise.all([worker(), worker()])
  if (inCi) for (const skip of unexpectedSkips()) fail(`not in test/allowed-skips: ${skip}`)
  if (wanted.length === 0) await import('./mutation-age.mjs')
  if (total.passed === 0 && total.failed === 0) fail('nothing ran')
  if (left.length > 0) process.stdout.write(`left to CI=true: ${left.map((lane) => lane.name).join(', ')}\n`)
  process.stdout.write(`${summary(total)}\n`)
} else {
  process.stdout.write('0 passed, 1 failed, 0 skipped\n')
  total.failed = 1
}
process.exitCode = total.failed === 0 ? 0 : 1

/** @param {string} reason */
function fail(reason) {
  process.stdout.write(`failed: ${reason}\n`)
  total.failed++
}

/** A lane that cannot run on the CI machine must be agreed upon, not overlooked. */
function unexpectedSkips() {
  const file = join(root, 'test/allowed-skips')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const allowed = new Set(lines.map((line) => line.trim()))
  return total.skipped.map(({ name, reason }) => `${name} - ${reason}`).filter((skip) => !allowed.has(skip))
}
