import { cancelling } from './conformance/cancelling.ts'
import type { Case } from './conformance/case.ts'
import { connecting } from './conformance/connecting.ts'
import { crowd } from './conformance/crowd.ts'
import { losing } from './conformance/losing.ts'
import { resetting } from './conformance/resetting.ts'
import { statements } from './conformance/statements.ts'
import { streaming } from './conformance/streaming.ts'
import type { Subject } from './conformance/subject.ts'
import { transactions } from './conformance/transactions.ts'
import { Trial } from './conformance/trial.ts'
import { values } from './conformance/values.ts'

const CASES = [
  ...connecting,
  ...resetting,
  ...losing,
  ...cancelling,
  ...values,
  ...statements,
  ...transactions,
  ...streaming,
  ...crowd,
] as const

export type ConformanceCase = (typeof CASES)[number]['name']

/** The functions of whichever test runner is in use. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown
  it(name: string, run: () => Promise<void>): unknown
  /** Shows a case that does not run. Default: a line on the console. */
  skip?(name: string, reason: string): unknown
}

/** How a driver did; filled in while the cases run. */
export interface ConformanceReport {
  readonly name: string
  passed: number
  failed: number
  readonly skipped: readonly { readonly case: string; readonly reason: string }[]
}

/**
 * Defines the tests that say what a correct driver is. Works under any test runner:
 *
 * ```ts
 * import { describe, it } from 'node:test'
 * testDriver('mydb', { driver: () => mydb(url), sql: { sleep: (ms) => `select sleep(${ms / 1000})` } }, { describe, it })
 * ```
 *
 * A case that needs a fact which the subject does not state, or an ability which the driver lacks, fails: such a case is
 * skipped by name, with a reason.
 */
export function testDriver<C>(
  name: string,
  subject: Subject<C, ConformanceCase>,
  runner: TestRunner,
): ConformanceReport {
  const skipped = subject.skip ?? []
  for (const { case: skip, reason } of skipped) {
    if (!CASES.some((known) => known.name === skip))
      throw new Error(`testDriver: there is no case "${skip}" to skip`)
    if (reason.trim() === '') throw new Error(`testDriver: skipping "${skip}" needs a reason`)
  }
  const report: ConformanceReport = { name, passed: 0, failed: 0, skipped }
  const skip = runner.skip ?? ((title, reason) => console.log(`skipped: ${name}: ${title} - ${reason}`))
  runner.describe(name, () => {
    for (const one of CASES as readonly Case[]) {
      const reason = skipped.find((known) => known.case === one.name)?.reason
      if (reason !== undefined) skip(one.name, reason)
      else runner.it(one.name, () => counted(report, () => Trial.run(subject, one.run)))
    }
  })
  return report
}

async function counted(report: ConformanceReport, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    report.passed++
  } catch (error) {
    report.failed++
    throw error
  }
}
