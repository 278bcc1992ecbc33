import { fileURLToPath } from 'node:url'
import { run, tool } from './run.mjs'

/**
 * Quiet when it works: tsdown tells every time that it will drop Node 20.
 * @param {string} [outDir]
 */
export function build(outDir) {
  return run(process.execPath, [tool('tsdown'), ...(outDir === undefined ? [] : ['--out-dir', outDir])])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code, output, ms } = await build()
  process.stdout.write(code === 0 ? `built in ${(ms / 1000).toFixed(1)} s\n` : `${output}\n`)
  process.exitCode = code
}
