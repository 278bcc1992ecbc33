import { spawn } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, transformSync } from 'esbuild'
import { entries, entryName, entrySource, root } from '../../scripts/entries.mjs'
import type { Block } from './blocks.ts'

const LIMIT_MS = 50_000

/** What a document may take for granted once it has introduced it. */
const GIVEN = `import { createPool as createThePool } from 'rockpool'
const pool = createThePool(process.env.DATABASE_URL)
`

/** Makes a folder where a program finds `rockpool` as it is in the sources, and drivers as they are installed here. */
export async function prepareFolder(folder: string, drivers: readonly string[]): Promise<void> {
  const home = join(folder, 'node_modules/rockpool')
  mkdirSync(home, { recursive: true })
  const subpaths = Object.keys(entries)
  const entryPoints = Object.fromEntries(subpaths.map((s) => [entryName(s), join(root, entrySource(s))]))
  const shared = {
    entryPoints,
    bundle: true,
    platform: 'node',
    packages: 'external',
    target: 'node20',
  } as const
  await build({ ...shared, format: 'esm', splitting: true, outdir: home, outExtension: { '.js': '.mjs' } })
  const shim = { 'import.meta.url': 'importMetaUrl' }
  const banner = { js: `const importMetaUrl = require('node:url').pathToFileURL(__filename).href` }
  await build({
    ...shared,
    format: 'cjs',
    outdir: home,
    outExtension: { '.js': '.cjs' },
    define: shim,
    banner,
  })
  const exported = subpaths.map((s) => {
    const path = `./${entryName(s)}`
    return [s, { import: `${path}.mjs`, require: `${path}.cjs` }]
  })
  const manifest = { name: 'rockpool', version: '0.0.0', exports: Object.fromEntries(exported) }
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest))
  for (const name of drivers)
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
}

/** The block as a program of its own: with the pool that its document takes for granted, and with an end. */
export function programOf({ code, language }: Block): { extension: string; source: string } {
  if (language === 'js') return { extension: /\brequire\(/.test(code) ? 'cjs' : 'mjs', source: code }
  const declares = /\b(?:const|let|using) pool\b|\bimport \{[^}]*\bpool\b/.test(code)
  const given = /\bpool\b/.test(code) && !declares
  const ends =
    /\bclose\(|\bpool\.(end|destroy|clear|destroyAllNow)\(|\bcloseOnSignal\(|\busing pool\b|\bexitWhenIdle: true\b/.test(
      code,
    )
  const closed = given || (declares && !ends) ? '\nawait pool.close()\n' : '\n'
  const { code: source } = transformSync(`${given ? GIVEN : ''}${code}${closed}`, {
    loader: 'ts',
    target: 'node20',
    format: 'esm',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  })
  return { extension: 'mjs', source }
}

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** What was answered to the requests among its steps. */
  readonly answers: readonly string[]
}

/** Runs a program and does to it what its steps say, once it has printed something. */
export function runProgram(
  file: string,
  { env, steps }: { env: Record<string, string>; steps: readonly string[] },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const { PATH = '', HOME = '' } = process.env
    const cwd = join(file, '..')
    const child = spawn(process.execPath, [file], { cwd, env: { PATH, HOME, NO_COLOR: '1', ...env } })
    let [stdout, stderr] = ['', '']
    const answers: string[] = []
    const timer = setTimeout(() => {
      stderr += `\nstopped after ${LIMIT_MS / 1000} s`
      child.kill('SIGKILL')
    }, LIMIT_MS)
    const act = async () => {
      for (const step of steps) {
        if (step.startsWith('GET ')) answers.push(await get(`http://127.0.0.1:${env.PORT}${step.slice(4)}`))
        else child.kill(step as NodeJS.Signals)
      }
    }
    child.stdout.once('data', () => void act())
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr, answers })
    })
  })
}

async function get(url: string): Promise<string> {
  try {
    return await (await fetch(url)).text()
  } catch (error) {
    return String(error)
  }
}

/** In an expected output `...` stands for anything within its line, and on a line of its own for any lines. */
export function asPattern(expected: string): RegExp {
  const lines = expected.trimEnd().split('\n')
  const parts = lines.map((line) =>
    line.trim() === '...' ? '[\\s\\S]*?' : line.trimEnd().split('...').map(escaped).join('.*'),
  )
  return new RegExp(`^${parts.join('[ \\t]*\\n')}\\s*$`)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
