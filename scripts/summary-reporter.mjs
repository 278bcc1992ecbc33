import { writeFileSync } from 'node:fs'

/** @typedef {import('vitest/node').Reporter} Reporter */

/**
 * Says only what a reader must act on: failures, skips with their reason, tests that passed at a second try.
 * The counts go to the file named by ROCKPOOL_COUNTS, because the last line sums up several runs.
 * @implements {Reporter}
 */
export default class SummaryReporter {
  /** @type {import('vitest/node').Vitest | undefined} */
  #vitest
  /** @type {import('./lanes.mjs').Counts} */
  #counts = { passed: 0, failed: 0, skipped: [] }
  /** @type {Map<string, string[]>} */
  #logs = new Map()

  /** @param {import('vitest/node').Vitest} vitest */
  onInit(vitest) {
    this.#vitest = vitest
  }

  /** @param {import('vitest').UserConsoleLog} log */
  onUserConsoleLog({ taskId = '', content }) {
    this.#logs.set(taskId, [...(this.#logs.get(taskId) ?? []), content])
  }

  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<import('vitest').SerializedError>} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    for (const module of modules) {
      this.#fail(`${module.relativeModuleId} does not load`, module.errors(), module)
      for (const suite of module.children.allSuites())
        this.#fail(`${module.relativeModuleId} > ${suite.fullName}`, suite.errors(), suite)
      for (const test of module.children.allTests()) this.#count(module, test)
    }
    this.#fail('an error outside of every test', unhandled)
    const file = process.env.ROCKPOOL_COUNTS
    if (file !== undefined) writeFileSync(file, JSON.stringify(this.#counts))
  }

  /**
   * @param {import('vitest/node').TestModule} module
   * @param {import('vitest/node').TestCase} test
   */
  #count(module, test) {
    const result = test.result()
    const name = `${module.relativeModuleId} > ${test.fullName}`
    if (result.state === 'skipped') {
      const reason = result.note ?? (test.options.mode === 'todo' ? 'todo' : 'no reason given')
      this.#counts.skipped.push({ name: test.fullName, reason })
      print(`skipped: ${test.fullName} - ${reason}`)
    } else if (result.state === 'passed') {
      this.#counts.passed++
      if (test.diagnostic()?.flaky) print(`passed at a second try: ${name}`)
    } else {
      this.#fail(name, result.errors ?? [{ message: 'never ran to its end' }], test)
    }
  }

  /**
   * @param {string} name
   * @param {ReadonlyArray<import('vitest').SerializedError>} errors
   * @param {{ id: string, project: import('vitest/node').TestProject }} [where]
   */
  #fail(name, errors, where) {
    if (errors.length === 0) return
    this.#counts.failed += where === undefined ? errors.length : 1
    print(`\nfailed: ${name}`)
    for (const error of errors) this.#vitest?.logger.printError(error, { project: where?.project })
    const said = where && this.#logs.get(where.id)
    if (said) print(said.join(''))
  }
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`)
}
