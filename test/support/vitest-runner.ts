import { describe, it } from 'vitest'
import type { TestRunner } from '../../src/testing/index.ts'

/** For the conformance suite. */
export const vitestRunner: TestRunner = {
  describe,
  it: (name, run) => it(name, () => run()),
  skip: (name, reason) => it(name, ({ skip }) => skip(reason)),
}
