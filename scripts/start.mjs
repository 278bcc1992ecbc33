import { fileURLToPath } from 'node:url'
import { ensureInstalled } from './install.mjs'

// A signal to npm ends npm and its shell, and nobody tells us.
const parent = process.ppid
const watch = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(watch)
  process.kill(process.pid, 'SIGTERM')
}, 200).unref()

if (await ensureInstalled()) {
  // In this process and from the sources: nothing to build, and Ctrl-C reaches the demo without a go-between.
  const main = new URL('../src/cli/main.ts', import.meta.url)
  process.argv = [process.execPath, fileURLToPath(main), 'demo', ...process.argv.slice(2)]
  // Its cache would stay behind in the temporary folder.
  process.env.TSX_DISABLE_CACHE = '1'
  const { register } = await import('tsx/esm/api')
  register()
  await import(main.href)
} else {
  process.exitCode = 1
}
