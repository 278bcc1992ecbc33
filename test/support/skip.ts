import { beforeEach, type TestContext } from 'vitest'

/**
 * Leaves a test out, and says why: `if (!isRoot) skip(context, 'needs root')`. With CI=true a skip fails the run
 * unless `test/allowed-skips` has the line `full test name - reason`.
 */
export function skip(context: TestContext, reason: string): never {
  return context.skip(reason)
}

/** The same for all tests of a file or `describe`: `needs(hasMariadb, 'MariaDB is not installed')`. */
export function needs(condition: boolean, reason: string): void {
  beforeEach((context) => context.skip(!condition, reason))
}
