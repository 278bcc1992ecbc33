import { join } from 'node:path'
import { root } from './entries.mjs'
import { ensureInstalled } from './install.mjs'

// `npm run soak -- --minutes 10` for a long time of everything; see test/soak/main.ts.

if (await ensureInstalled()) {
  const { run } = await import('./run.mjs')
  const flags = ['--expose-gc', '--import', 'tsx', join(root, 'test/soak/main.ts')]
  const { code } = await run(process.execPath, [...flags, ...process.argv.slice(2)], { show: true })
  process.exitCode = code
} else {
  process.exitCode = 1
}
