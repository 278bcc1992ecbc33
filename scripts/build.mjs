import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeCallable, makeWhole } from './callable.mjs'
import { root } from './entries.mjs'
import { makeNamespaces } from './namespaces.mjs'
import { run, tool } from './run.mjs'

/**
 * Quiet when it works: tsdown tells every time that it will drop Node 20.
 * @param {string} [outDir]
 */
export async function build(outDir) {
  const built = await run(process.execPath, [
    tool('tsdown'),
    ...(outDir === undefined ? [] : ['--out-dir', outDir]),
  ])
  if (built.code !== 0) return built
  const dist = outDir ?? join(root, 'dist')
  makeNamespaces(dist)
  makeCallable(dist)
  makeWhole(dist)
  return built
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code, output, ms } = await build()
  process.stdout.write(code === 0 ? `built in ${(ms / 1000).toFixed(1)} s\n` : `${output}\n`)
  process.exitCode = code
}
