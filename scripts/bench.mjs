import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './entries.mjs'
import { ensureInstalled } from './install.mjs'

// `npm run bench` measures the pool beside others: `-- --quick`, `-- --only cycle,spike`, `-- --help`. The other pools are
// installed at the first run, in a folder of their own: whoever only tests does not need them.

if (await ensureInstalled()) {
  const { cached } = await import('./cached.mjs')
  process.env.ROCKPOOL_BENCH_PEERS = await cached('bench-peers', listed('peers'))
  if (/^--(write-docs|from)/m.test(process.argv.join('\n')))
    process.env.ROCKPOOL_BENCH_PLOTS = await cached('bench-plots', listed('plots'))
  // In this process, so that Ctrl-C reaches it without a go-between.
  await import(pathToFileURL(join(await compile(), 'main.mjs')).href)
} else {
  process.exitCode = 1
}

/** @param {'peers' | 'plots'} set */
function listed(set) {
  const packages = JSON.parse(readFileSync(join(root, 'bench/packages.json'), 'utf8'))
  return Object.entries(packages[set]).map(([name, version]) => `${name}@${version}`)
}

/** The sources as a user gets them: JavaScript for the oldest Node, nothing between them and the engine. */
async function compile() {
  const { build } = await import('esbuild')
  const folder = join(root, 'node_modules/.cache/rockpool/bench', String(process.pid))
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: ['main', 'child'].map((name) => join(root, `bench/${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  })
  process.env.ROCKPOOL_BENCH_CODE = folder
  const { rmSync } = await import('node:fs')
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
