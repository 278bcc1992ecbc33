import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cached.mjs'
import { root } from './entries.mjs'
import { ensureInstalled } from './install.mjs'

// `npm run mutation` tries every mutant, `-- --incremental` those whose code or tests have changed since the last run,
// `-- --mutate src/engine/forecast.ts` those of a file. Installed once, and apart: `npm ci` stays quick.

const PACKAGES = ['@stryker-mutator/core@9.6.1']

if (await ensureInstalled()) {
  const folder = await cached('mutation', PACKAGES)
  const { run } = await import('./run.mjs')
  mkdirSync(join(root, 'reports/mutation'), { recursive: true })
  const stryker = join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  const args = [stryker, 'run', 'test/mutation/stryker.config.mjs', ...process.argv.slice(2)]
  const { code } = await run(process.execPath, args, { show: true })
  process.exitCode = code
} else process.exitCode = 1
