import { join } from 'node:path'
import { root } from './entries.mjs'
import { ensureInstalled } from './install.mjs'

// `npm run chaos` does to a pool on a real server what networks and servers do, and says how it fared. Arguments are
// vitest's: `npm run chaos -- outage`.

if (await ensureInstalled()) {
  const { run, tool } = await import('./run.mjs')
  const reporter = `--reporter=${join(root, 'scripts/figures-reporter.mjs')}`
  const args = [tool('vitest'), 'run', '--project', 'chaos', reporter, ...process.argv.slice(2)]
  const { code } = await run(process.execPath, args, { show: true })
  process.exitCode = code
} else {
  process.exitCode = 1
}
