import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { beforeAll, describe, test } from 'vitest'
import { startPostgres } from '../../support/postgres.ts'
import { compiler, folder, jest, makeApp, passes } from './app.ts'

// Drop-ins and adapters with the user's own copies of drivers and ORMs: found, or passed where nothing can be found.

const USED = [
  'drizzle-orm',
  'knex',
  'kysely',
  'mysql2',
  'pg',
  'pg-pool',
  'pg-promise',
  'sequelize',
  'typeorm',
]
/** Other drivers that these packages would load if somebody asked for them. */
const UNUSED =
  `@google-cloud/spanner @sap/hana-client better-sqlite3 hdb-pool ibm_db ioredis libsql mariadb mongodb mssql
  mysql odbc oracledb pg-hstore pg-native pg-query-stream react-native-sqlite-storage redis snowflake-sdk sql.js sqlite3
  tedious typeorm-aurora-data-api-driver`.split(/\s+/)

const server = await startPostgres()
const env = { ROCKPOOL_PG_URL: server.url() }
let app = ''
beforeAll(async () => {
  const types = ['@types/node', '@types/pg']
  app = await makeApp('adapters', {
    programs: 'adapters',
    ours: [...USED, ...types, 'esbuild', 'reflect-metadata'],
  })
})

test.each(['main.mjs', 'main.cjs'])('%s runs', async (program) => {
  await passes([program], app, env)
})

const FORMATS = ['esm', 'cjs'] as const

async function bundle(program: string, into: string, options: BuildOptions): Promise<string> {
  const outfile = join(into, program)
  // What users of esbuild write for packages in CommonJS within a bundle that is none.
  const banner = `import { createRequire } from 'node:module'; import { fileURLToPath } from 'node:url';
const require = createRequire(import.meta.url); const __filename = fileURLToPath(import.meta.url);
const __dirname = fileURLToPath(new URL('.', import.meta.url));`
  await build({
    absWorkingDir: app,
    entryPoints: [program],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    ...(options.format === 'esm' ? { banner: { js: banner } } : {}),
    ...options,
  })
  return outfile
}

const extensionOf = (format: string) => (format === 'esm' ? 'mjs' : 'cjs')

describe('esbuild, with minified names', () => {
  test.each(FORMATS)('%s, the packages stay outside', async (format) => {
    const into = join(app, 'bundled')
    const outfile = await bundle(`main.${extensionOf(format)}`, into, { format, external: USED })
    await passes([outfile], app, env)
  })

  test.each(FORMATS)('%s, everything in one file, where nothing is installed', async (format) => {
    const alone = join(folder, 'alone')
    mkdirSync(alone, { recursive: true })
    const outfile = await bundle(`main.${extensionOf(format)}`, alone, { format, external: UNUSED })
    await passes([outfile], alone, { ...env, ROCKPOOL_ALL_PASSED: 'yes' })
  })

  test('an alias puts rockpool in the place of pg-pool', async () => {
    const outfile = await bundle('aliased.main.cjs', join(app, 'bundled'), {
      format: 'cjs',
      external: UNUSED,
      alias: { 'pg-pool': 'rockpool/compat/pg-pool' },
    })
    await passes([outfile], app, env)
  })
})

describe('Jest 29', () => {
  const runs = async (program: string, config: object) => {
    const inline = JSON.stringify({ ...config, rootDir: app, testMatch: [`**/${program}`] })
    await passes([await jest(), '--ci', '--config', inline], app, env)
  }

  test('runs them', () =>
    runs('adapters.jest.js', {
      transform: { 'kysely.*js$': '<rootDir>/to-commonjs.cjs' },
      transformIgnorePatterns: ['/node_modules/(?!kysely)'],
    }))

  test('puts rockpool in the place of pg-pool', () =>
    runs('aliased.jest.js', {
      moduleNameMapper: { '^pg-pool$': 'rockpool/compat/pg-pool' },
      // Our packages are links that lead out of the application.
      modulePaths: ['<rootDir>/node_modules'],
    }))
})

describe.concurrent('TypeScript', () => {
  const modules = {
    commonjs: { module: 'commonjs' },
    nodenext: { module: 'nodenext' },
    bundler: { module: 'esnext', moduleResolution: 'bundler' },
  }
  const cases = ['5.9.3', '7.0.2'].flatMap((version) =>
    (['commonjs', 'nodenext', 'bundler'] as const).map((name) => [version, name] as const),
  )

  test.each(cases)('%s, %s', async (version, name) => {
    const compilerOptions = {
      ...modules[name],
      target: 'ES2022',
      lib: ['ES2022'],
      types: ['node'],
      strict: true,
      // Theirs are their own business.
      skipLibCheck: true,
      esModuleInterop: true,
      noEmit: true,
      rootDir: '.',
    }
    const files = name === 'bundler' ? ['typed.ts'] : ['typed.ts', 'required.cts']
    const config = `tsconfig.${version}.${name}.json`
    writeFileSync(join(app, config), JSON.stringify({ compilerOptions, files }))
    await passes([await compiler(version), '-p', config], app)
  })
})
