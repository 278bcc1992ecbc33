import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './entries.mjs'
import { ensureInstalled } from './install.mjs'

// `npm run sim` plays seeds of the simulation; `npm run sim -- --help` says how. The pool comes from the folder that
// ROCKPOOL_UNDER_TEST names: `cp -r src /tmp/mutant`, change something there, and see whether it is noticed.

if (await ensureInstalled()) {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-sim-'))
  try {
    const { main } = await import(pathToFileURL(await bundle(folder)).href)
    process.exitCode = await main(process.argv.slice(2))
  } finally {
    rmSync(folder, { recursive: true })
  }
} else {
  process.exitCode = 1
}

/**
 * Compiles everything once: the harness from here, the pool from where it is asked for.
 * @param {string} folder
 */
async function bundle(folder) {
  const { build } = await import('esbuild')
  const under = resolve(process.env.ROCKPOOL_UNDER_TEST ?? join(root, 'src'))
  const outfile = join(folder, 'sim.mjs')
  const from = (/** @type {string[]} */ ...path) => JSON.stringify(join(...path))
  await build({
    stdin: {
      contents: `
        import { createPool } from ${from(under, 'create-pool.ts')}
        import { createResourcePool } from ${from(under, 'pool/create-resource-pool.ts')}
        import { main as run } from ${from(root, 'src/testing/simulation/command.ts')}
        export const main = (args) => run(args, { createPool, createResourcePool })
      `,
      resolveDir: root,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
    outfile,
  })
  process.setSourceMapsEnabled(true)
  return outfile
}
