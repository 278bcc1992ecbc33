import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, describe, test } from 'vitest'
import { compiler, compilers, folder, jest, makeApp, passes } from './app.ts'

// Programs of somebody who uses the core, drivers and one drop-in.

const NODE_TYPES = '@types/node@20.19.43'
const ORACLE_TYPES = '@types/oracledb@7.0.3'

let withPg = ''
let bare = ''
let browser = ''
beforeAll(async () => {
  withPg = await makeApp('with pg', { packages: ['pg@8.23.1', '@types/pg@8.23.1', NODE_TYPES, ORACLE_TYPES] })
  bare = await makeApp('bare', { packages: [NODE_TYPES] })
  browser = await makeApp('browser', {})
})

describe('plain programs', () => {
  test.each(['things.mjs', 'things.cjs', 'no-server.mjs', 'no-server.cjs', 'drop-ins.cjs'])(
    '%s runs',
    async (program) => {
      await passes([program], withPg)
    },
  )

  test('no-driver.mjs runs without pg', async () => {
    await passes(['no-driver.mjs'], bare)
  })
})

test('Jest 29 runs it without flags', async () => {
  await passes([await jest(), '--ci'], withPg)
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
    await passes([outfile], withPg)
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
    await passes([outfile], bare)
  })
})

describe.concurrent('TypeScript', () => {
  const modules = {
    commonjs: { module: 'commonjs' },
    node16: { module: 'node16' },
    nodenext: { module: 'nodenext' },
    bundler: { module: 'esnext', moduleResolution: 'bundler' },
  }
  const all = Object.keys(modules)
  const environments = [
    {
      name: 'with pg and the types of Node and oracledb',
      app: () => withPg,
      lib: ['ES2022'],
      types: ['node'],
      files: ['core', 'with-pg', 'drop-ins', 'with-oracledb'],
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

  beforeAll(() => {
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
    await passes([await compiler(version), '-p', config], app())
  })
})
