/** The options of Stryker, which is installed apart: see scripts/mutation.mjs. */
export default {
  testRunner: 'resident',
  plugins: ['./test/mutation/stryker-runner.mjs'],
  coverageAnalysis: 'perTest',
  mutate: [
    'src/engine/**/*.ts',
    'src/pool/**/*.ts',
    'src/sql/{lane,multiplexer,text-book,text-reader,limits,line,opening}.ts',
  ],
  mutator: {
    // Message texts are no behaviour; what tells events, states and reasons apart is checked by the compiler.
    excludedMutations: ['StringLiteral'],
  },
  ignorePatterns: [
    '*',
    '!src/**',
    '!test/{mutation,unit,property,support,field}/**',
    '!package.json',
    '!tsconfig.json',
    '.stryker-tmp',
  ],
  disableTypeChecks: false,
  concurrency: 2,
  timeoutMS: 5_000,
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  incrementalFile: 'reports/mutation/incremental.json',
  tempDirName: '.stryker-tmp',
  allowConsoleColors: false,
  warnings: { unserializableOptions: false },
}
