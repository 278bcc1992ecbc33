import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { cached, installInto } from '../../../scripts/cached.mjs'
import { run } from '../../../scripts/run.mjs'

// Programs of somebody who has the tarball, the README and nothing else of ours.

const PROGRAMS = fileURLToPath(new URL('../programs', import.meta.url))
const NODE_TYPES = '@types/node@20.19.43'
const folder = mkdtempSync(join(tmpdir(), 'rockpool consumer '))

async function makeApp(name: string, packages: string[]): Promise<string> {
  const app = join(folder, name)
  await installInto(app, [inject('tarball'), ...packages])
  cpSync(PROGRAMS, app, { recursive: true })
  return app
}

async function passes(command: string, args: string[], cwd: string): Promise<void> {
  const { code, output } = await run(command, args, { cwd, timeoutMs: 110_000 })
  // A minified bundle that crashes prints itself.
  const lines = output.split('\n').map((line) => line.slice(0, 300))
  expect(code, lines.join('\n')).toBe(0)
}

let withPg = ''
let bare = ''
let browser = ''
beforeAll(async () => {
  withPg = await makeApp('with pg', ['pg@8.23.1', '@types/pg@8.23.1', NODE_TYPES])
  bare = await makeApp('bare', [NODE_TYPES])
  browser = await makeApp('browser', [])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('plain programs', () => {
  test.each(['things.mjs', 'things.cjs', 'no-server.mjs', 'no-server.cjs'])('%s runs', async (program) => {
    await passes(process.execPath, [program], withPg)
  })

  test('no-driver.mjs runs without pg', async () => {
    await passes(process.execPath, ['no-driver.mjs'], bare)
  })
})

test('Jest 29 runs it without flags', async () => {
  const jest = await cached('jest29', ['jest@29.7.0'])
  await passes(process.execPath, [join(jest, 'node_modules/jest/bin/jest.js'), '--ci'], withPg)
})

describe('esbuild', () => {
  const bundles = (['things', 'no-server'] as const).flatMap((name) =>
    (['esm', 'cjs'] as const).map((format) => [name, format] as const),
  )

  test.each(bundles)('%s, bundled and minified to %s, runs', async (name, format) => {
    // CommonJS has no await outside of functions: there the program is its CommonJS twin.
    const entry = join(withPg, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const outfile = join(folder, 'bundles', `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const toRequire = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`
    await build({
      entryPoints: [entry],
      outfile,
      format,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20',
      external: ['pg-native'],
      logLevel: 'silent',
      // pg is CommonJS and requires Node's modules; this is what esbuild's users write for it.
      ...(format === 'esm' && name === 'no-server' ? { banner: { js: toRequire } } : {}),
    })
    // Beside node_modules with pg, so that the driver found by its URL can be loaded.
    await passes(process.execPath, [outfile], withPg)
  })

  test('does not insist on drivers that nobody installed', async () => {
    const outfile = join(folder, 'bundles/no-driver.mjs')
    const entryPoints = [join(bare, 'no-driver.mjs')]
    await build({
      entryPoints,
      outfile,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
    })
    await passes(process.execPath, [outfile], bare)
  })
})

describe.concurrent('TypeScript', () => {
  const compilers = { '5.4': '5.4.5', '5.9': '5.9.3', '6.0': '6.0.3', '7.0': '7.0.2' }
  const modules = {
    commonjs: { module: 'commonjs' },
    node16: { module: 'node16' },
    nodenext: { module: 'nodenext' },
    bundler: { module: 'esnext', moduleResolution: 'bundler' },
  }
  const all = Object.keys(modules)
  const environments = [
    {
      name: 'with pg and Node types',
      app: () => withPg,
      lib: ['ES2022'],
      types: ['node'],
      files: ['core', 'with-pg'],
      within: all,
    },
    // What may be missing does not depend on the module system; two of them are enough, and save a minute.
    {
      name: 'without pg',
      app: () => bare,
      lib: ['ES2022'],
      types: ['node'],
      files: ['core'],
      within: ['commonjs', 'node16'],
    },
    {
      name: 'with the DOM library',
      app: () => browser,
      lib: ['ES2022', 'DOM'],
      types: [],
      files: ['core'],
      within: ['nodenext', 'bundler'],
    },
  ]

  let home = ''
  beforeAll(async () => {
    const aliases = Object.values(compilers).map((version) => `ts-${version}@npm:typescript@${version}`)
    home = join(await cached('typescript', aliases), 'node_modules')
    // One program, compiled as what each file name says: .ts as the folder, .mts as ESM, .cts as CommonJS.
    for (const { app, files } of environments)
      for (const file of files)
        for (const kind of ['mts', 'cts']) cpSync(join(app(), `${file}.ts`), join(app(), `${file}.${kind}`))
  })

  const cases = Object.entries(compilers).flatMap(([line, version]) =>
    Object.entries(modules).flatMap(([name, module]) =>
      environments
        .filter(({ within }) => within.includes(name))
        .map((environment) => {
          const title = `${line}, ${name}, ${environment.name}`
          return [title, { version, name, module, environment }] as const
        }),
    ),
  )

  test.each(cases)('%s', async (_, { version, name, module, environment }) => {
    const { app, lib, types, files } = environment
    const kinds = name.startsWith('node') ? ['ts', 'mts', 'cts'] : ['ts']
    const compilerOptions = {
      ...module,
      target: 'ES2022',
      lib,
      types,
      strict: true,
      // The types of pg's own parts are written for TypeScript 5.7 and later; ours are checked without pg.
      skipLibCheck: version === '5.4.5' && files.includes('with-pg'),
      esModuleInterop: true,
      noEmit: true,
      rootDir: '.',
    }
    const config = `tsconfig.${version}.${name}.json`
    const included = files.flatMap((file) => kinds.map((kind) => `${file}.${kind}`))
    writeFileSync(join(app(), config), JSON.stringify({ compilerOptions, files: included }))
    await passes(process.execPath, [join(home, `ts-${version}`, 'bin/tsc'), '-p', config], app())
  })
})
