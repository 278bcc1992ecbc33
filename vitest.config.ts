import { defineConfig } from 'vitest/config'

/** ORMs that want packages, or a Node, that are not here and are fetched by the tests. */
const NEWER = ['test/orm/{mikro-orm,prisma,scenario,slonik}/**/*.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,property,field,parity,conformance,house}/**/*.test.ts'],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{integration,cli}/**/*.test.ts'],
          // Timing and connection counts of one file must not depend on what its neighbour does to the server.
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      // Real ORMs and the pools that ours stands in for, each file with servers of its own.
      ...(['compat', 'orm'] as const).map((name) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          exclude: NEWER,
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      })),
      {
        test: {
          name: 'orm-newer',
          include: NEWER,
          testTimeout: 60_000,
          // They download, once.
          hookTimeout: 300_000,
        },
      },
      // The quick part in `npm test`, all of it in `npm run chaos`.
      ...(['quick', 'whole'] as const).map((extent) => ({
        test: {
          name: extent === 'whole' ? 'chaos' : 'chaos-quick',
          include: ['test/chaos/*.test.ts'],
          env: { ROCKPOOL_CHAOS: extent },
          fileParallelism: false,
          testTimeout: extent === 'whole' ? 120_000 : 30_000,
          hookTimeout: 60_000,
        },
      })),
      {
        test: {
          name: 'documents',
          include: ['test/docs/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/*.test.ts'],
          globalSetup: 'test/package/packed.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'consumer',
          include: ['test/package/consumer/*.test.ts'],
          globalSetup: 'test/package/packed.ts',
          fileParallelism: false,
          maxConcurrency: 2,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
