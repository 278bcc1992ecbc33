import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll } from 'vitest'

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface ProgramOptions {
  env?: Record<string, string>
  /** Gets each line that the program prints. */
  talk?(line: string, child: ChildProcess): void
}

/** Runs programs that use the pool and a fake server, in processes of their own. To be called once in a file. */
export function programs(): (program: string, options?: ProgramOptions) => Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-programs-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const bundle = join(folder, 'rockpool.mjs')
  // Bundled once: every program starts in a moment.
  buildSync({
    stdin: {
      contents: `export { closeOnSignal, createResourcePool } from './src/index.ts'
        export { FakeServer } from './src/testing/fake-server.ts'`,
      resolveDir: fileURLToPath(new URL('../../', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile: bundle,
    logLevel: 'error',
  })
  const header = `
    import { closeOnSignal, createResourcePool, FakeServer } from ${JSON.stringify(pathToFileURL(bundle).href)}
    const server = new FakeServer()
  `
  return (program, options) => run(header + program, options)
}

function run(program: string, { env = {}, talk }: ProgramOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
    for (const line of String(data).trim().split('\n')) talk?.(line, child)
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  // What hangs is ended here, and seen as such.
  const patience = setTimeout(() => child.kill('SIGKILL'), 50_000)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(patience)
      resolve({ code, signal, stdout, stderr })
    })
  })
}
