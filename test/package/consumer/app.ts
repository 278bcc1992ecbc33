import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, inject } from 'vitest'
import { cached, installInto } from '../../../scripts/cached.mjs'
import { root } from '../../../scripts/entries.mjs'
import { run } from '../../../scripts/run.mjs'

// What somebody has who has the tarball, the README and nothing else of ours.

const PROGRAMS = fileURLToPath(new URL('../programs', import.meta.url))

/** For the applications of one file. */
export const folder = mkdtempSync(join(tmpdir(), 'rockpool consumer '))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

export const jest = async (): Promise<string> =>
  join(await cached('jest29', ['jest@29.7.0']), 'node_modules/jest/bin/jest.js')

export const compilers = { '5.4': '5.4.5', '5.9': '5.9.3', '6.0': '6.0.3', '7.0': '7.0.2' }

/** The path of a version's compiler. */
export async function compiler(version: string): Promise<string> {
  const aliases = Object.values(compilers).map((one) => `ts-${one}@npm:typescript@${one}`)
  return join(await cached('typescript', aliases), 'node_modules', `ts-${version}`, 'bin/tsc')
}

interface Application {
  /** A folder of `programs`. Default: all of it. */
  readonly programs?: string
  /** With their versions: fetched. */
  readonly packages?: readonly string[]
  /** As this repository has them, with whatever they need. */
  readonly ours?: readonly string[]
}

/** An application in a folder of its own, with the packed rockpool installed. */
export async function makeApp(
  name: string,
  { programs = '.', packages = [], ours = [] }: Application,
): Promise<string> {
  const app = join(folder, name)
  await installInto(app, [inject('tarball'), ...packages])
  linkOurs(app, ours)
  cpSync(join(PROGRAMS, programs), app, { recursive: true })
  return app
}

/** Packages as this repository has them. */
export function linkOurs(app: string, packages: readonly string[]): void {
  for (const one of packages) {
    const place = join(app, 'node_modules', one)
    mkdirSync(dirname(place), { recursive: true })
    if (!existsSync(place)) symlinkSync(join(root, 'node_modules', one), place, 'junction')
  }
}

/** Runs this Node, which must end well. */
export async function passes(args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const started = run(process.execPath, args, { cwd, timeoutMs: 280_000, env: { ...process.env, ...env } })
  const { code, output } = await started
  // A minified bundle that crashes prints itself.
  const lines = output.split('\n').map((line) => line.slice(0, 300))
  expect(code, lines.join('\n')).toBe(0)
}
