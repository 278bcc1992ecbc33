import SummaryReporter from './summary-reporter.mjs'

/** Says of every test how it went, how long it took, and the figures that it found. */
export default class FiguresReporter extends SummaryReporter {
  /** @param {import('vitest/node').TestCase} test */
  onTestCaseResult(test) {
    const { figures } = /** @type {{ figures?: string }} */ (test.meta())
    const seconds = ((test.diagnostic()?.duration ?? 0) / 1000).toFixed(1)
    const words = `${test.result().state}: ${test.fullName} (${seconds} s)`
    process.stdout.write(`${words}${figures === undefined ? '' : `\n        ${figures}`}\n`)
  }
}
