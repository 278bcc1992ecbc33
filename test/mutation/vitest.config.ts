import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/mutation/all.test.ts'],
    runner: 'test/mutation/resident.ts',
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    // Under virtual time a test takes milliseconds, and a hundred times as long on a busy machine; what hangs is a mutant,
    // and mostly ended by its hits.
    testTimeout: 20_000,
    reporters: [{}],
  },
})
