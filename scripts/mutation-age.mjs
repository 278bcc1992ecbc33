import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.mjs'
import { run } from './run.mjs'

// Says when docs/mutation.md tells of an engine that has changed since. It never fails: a run takes its time.

const MUTATED = ['src/engine', 'src/pool', 'src/sql']

const commit = /^Commit: `([0-9a-f]{7,40})`/m.exec(readFileSync(join(root, 'docs/mutation.md'), 'utf8'))?.[1]
const { code, output } = await run('git', ['diff', '--stat', `${commit}`, '--', ...MUTATED])
// A copy without its history, or one that is shallow, cannot tell.
if (code !== 0)
  process.stdout.write('mutation: this copy of the repository cannot tell how old the last run is\n')
else if (output.trim() !== '') {
  const changed = output.trim().split('\n').at(-1)?.trim()
  process.stdout.write(`mutation: the run in docs/mutation.md is older than the engine (${changed})\n`)
}
