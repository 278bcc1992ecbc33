import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/mutation/all.test.ts'],
    runner: 'test/mutation/resident.ts',
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    // Under virtual time a test takes milliseconds; what hangs is a mutant. The property tests take longer.
    testTimeout: process.env.ROCKPOOL_MUTATION === 'quick' ? 1_500 : 15_000,
    reporters: [{}],
  },
})
