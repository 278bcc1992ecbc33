import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './entries.mjs'
import { FAULTS } from './faults.mjs'
import { run } from './run.mjs'

// Checks that the simulation can fail: plants faults that pools have had in copies of the sources, one at a time, and
// plays seeds with each. `npm run sim:faults`, or with words of the names of some: `npm run sim:faults -- cap drain`.

const SEEDS = '50'
const LIMIT_MS = 180_000

const words = process.argv.slice(2)
const chosen = FAULTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
let unnoticed = 0
for (const fault of chosen) {
  const verdict = await play(fault)
  if (verdict === undefined) unnoticed++
  process.stdout.write(
    `${verdict === undefined ? 'NOT NOTICED' : 'noticed'}: ${fault.name}${verdict ?? ''}\n`,
  )
}
process.stdout.write(
  `${chosen.length - unnoticed} of ${chosen.length} faults noticed within ${SEEDS} seeds\n`,
)
process.exitCode = unnoticed > chosen.length / 12 ? 1 : 0

/**
 * How the fault was noticed; undefined when it was not.
 * @param {import('./faults.mjs').Fault} fault
 */
async function play({ name, file, from, to }) {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-fault-'))
  try {
    const copy = join(folder, 'src')
    cpSync(join(root, 'src'), copy, { recursive: true })
    const path = join(copy, file)
    const text = readFileSync(path, 'utf8')
    if (text.split(from).length !== 2) throw new Error(`${name}: ${file} has changed, and the fault with it`)
    writeFileSync(path, text.replace(from, to))
    const args = [join(root, 'scripts/sim.mjs'), '--seeds', SEEDS, '--bail', '--no-shrink']
    const env = { ...process.env, ROCKPOOL_UNDER_TEST: copy }
    const { code, output } = await run(process.execPath, args, { env, timeoutMs: LIMIT_MS })
    if (code === 0) return undefined
    const [said = 'it did not end'] = output.match(/seed \d+ breaks a rule: [^:]*/) ?? []
    return ` (${said})`
  } finally {
    rmSync(folder, { recursive: true })
  }
}
