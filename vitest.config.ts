import { defineConfig } from 'vitest/config'

/** ORMs that want packages, or a Node, that are not here and are fetched by the tests. */
const NEWER = ['test/orm/{mikro-orm,prisma,scenario,slonik}/**/*.test.ts']

/**
 * In CI, what runs against servers, downloads and other processes has a second try, and the reporter names every test
 * that needed it. Here, where somebody looks, it has none; and tests of our own code alone never have.
 */
const retry = process.env.CI ? 1 : 0

export default defineConfig({
  test: {
    // What is to come is waited for until it is sure that it does not: no result may depend on the machine's speed.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{unit,property,field,parity,conformance,house}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          retry,
          include: ['test/{integration,cli}/**/*.test.ts'],
          // Timing and connection counts of one file must not depend on what its neighbour does to the server.
          fileParallelism: false,
        },
      },
      // Real ORMs and the pools that ours stands in for, each file with servers of its own.
      ...(['compat', 'orm'] as const).map((name) => ({
        extends: true as const,
        test: {
          name,
          retry,
          include: [`test/${name}/**/*.test.ts`],
          exclude: NEWER,
        },
      })),
      {
        extends: true,
        test: {
          name: 'orm-newer',
          retry,
          include: NEWER,
          // They download, once.
          hookTimeout: 300_000,
        },
      },
      // The quick part in `npm test`, all of it in `npm run chaos`.
      ...(['quick', 'whole'] as const).map((extent) => ({
        extends: true as const,
        test: {
          name: extent === 'whole' ? 'chaos' : 'chaos-quick',
          retry,
          include: ['test/chaos/*.test.ts'],
          env: { ROCKPOOL_CHAOS: extent },
          fileParallelism: false,
          testTimeout: 120_000,
        },
      })),
      {
        extends: true,
        test: {
          name: 'documents',
          retry,
          include: ['test/docs/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/*.test.ts'],
          globalSetup: 'test/package/packed.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'consumer',
          retry,
          include: ['test/package/consumer/*.test.ts'],
          globalSetup: 'test/package/packed.ts',
          fileParallelism: false,
          maxConcurrency: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
