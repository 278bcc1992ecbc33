import { mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { cached } from '../../scripts/cached.mjs'
import { root } from '../../scripts/entries.mjs'
import { run } from '../../scripts/run.mjs'

const { platform, arch } = process
const NODE = `node-${platform === 'win32' ? 'win' : platform}-${arch}`

/** A program for a Node newer than this one, beside packages that want it. */
export interface NewerProgram {
  /** Its path in the repository. */
  readonly file: string
  readonly packages: { readonly name: string; readonly versions: readonly string[] }
  readonly env: Record<string, string>
  readonly limitMs?: number
}

/** Node 24, fetched once. */
export async function newerNode(): Promise<string> {
  const home = await cached('node24', [`${NODE}@24.21.0`])
  return join(home, 'node_modules', NODE, platform === 'win32' ? 'bin/node.exe' : 'bin/node')
}

/** Bundles the program into a folder that finds these packages; `done` removes it. */
export async function bundled({
  file,
  packages,
}: Pick<NewerProgram, 'file' | 'packages'>): Promise<{ program: string; done: () => void }> {
  const home = await cached(packages.name, packages.versions)
  const folder = join(home, `program-${process.pid}-${basename(file, '.ts')}`)
  mkdirSync(folder, { recursive: true })
  const program = join(folder, 'program.mjs')
  await build({
    entryPoints: [join(root, file)],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  return { program, done: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What the program prints as JSON, line by line. */
export async function onNewerNode<T>(
  asked: NewerProgram,
): Promise<{ code: number; told: T[]; output: string }> {
  const node = await newerNode()
  const { program, done } = await bundled(asked)
  const { code, output } = await run(node, [program], {
    env: { ...process.env, ...asked.env },
    timeoutMs: asked.limitMs ?? 240_000,
  })
  done()
  const lines = output.split('\n').filter((line) => line.startsWith('{"'))
  return { code, told: lines.map((line) => JSON.parse(line)), output }
}
