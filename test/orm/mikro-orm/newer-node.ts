import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { cached } from '../../../scripts/cached.mjs'
import { root } from '../../../scripts/entries.mjs'
import { run } from '../../../scripts/run.mjs'

const { platform, arch } = process
const NODE = `node-${platform === 'win32' ? 'win' : platform}-${arch}`
const PACKAGES = ['core', 'sql', 'postgresql', 'mariadb', 'sqlite'].map((name) => `@mikro-orm/${name}@7.2.1`)

/** Where MikroORM is. */
export function homeOfMikroOrm(): Promise<string> {
  return cached('mikro-orm', [...PACKAGES, 'kysely@0.29.6', 'pg@8.23.1', 'mysql2@3.24.5'])
}

/** What a program of this folder prints, line by line, on a Node and beside packages that are fetched once. */
export async function onNewerNode<T>(
  program: string,
  env: Record<string, string>,
): Promise<{ code: number; told: T[]; output: string }> {
  const node = await cached('node24', [`${NODE}@24.21.0`])
  const home = await homeOfMikroOrm()
  // Within that folder, so that it finds the packages there.
  const folder = join(home, `program-${process.pid}-${program}`)
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, 'program.mjs')
  await build({
    entryPoints: [join(root, `test/orm/mikro-orm/${program}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  const binary = join(node, 'node_modules', NODE, platform === 'win32' ? 'bin/node.exe' : 'bin/node')
  const { code, output } = await run(binary, [outfile], {
    cwd: folder,
    env: { ...process.env, ...env },
    timeoutMs: 120_000,
  })
  rmSync(folder, { recursive: true })
  const lines = output.split('\n').filter((line) => line.startsWith('{"'))
  return { code, told: lines.map((line) => JSON.parse(line)), output }
}
