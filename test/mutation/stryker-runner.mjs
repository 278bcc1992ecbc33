import { BroadcastChannel } from 'node:worker_threads'
import { createVitest } from 'vitest/node'
import { CHANNEL } from './messages.mjs'

/** @typedef {import('./messages.mjs').Answer} Answer */
/** @typedef {import('./messages.mjs').Order} Order */

/** Stryker's test runner: vitest with one worker that stays (resident.ts). */
class ResidentRunner {
  #channel = new BroadcastChannel(CHANNEL)
  /** @type {import('vitest/node').Vitest | undefined} */
  #vitest
  /** @type {Promise<unknown> | undefined} */
  #run
  /** @type {(message: any) => void} */
  #hear = () => {}

  /** A mutant in code that runs once, at load, needs a process of its own: Stryker starts one. */
  capabilities() {
    return { reloadEnvironment: false }
  }

  async init() {}

  /** @param {{ kind?: string } | 'ready'} _ */
  async dryRun(_) {
    const { outcomes, coverage } = await this.#ask({
      mutant: undefined,
      activation: 'runtime',
      tests: undefined,
      hitLimit: undefined,
    })
    const good = outcomes.filter(({ failure }) => failure === undefined)
    if (good.length < outcomes.length / 2) return { status: 'error', errorMessage: `${outcomes[0]?.failure}` }
    const known = new Set(good.map(({ id }) => id))
    const perTest = Object.fromEntries(Object.entries(coverage.perTest).filter(([id]) => known.has(id)))
    return { status: 'complete', tests: good.map(asTest), mutantCoverage: { ...coverage, perTest } }
  }

  /** @param {{ activeMutant: { id: string }, testFilter?: string[], hitLimit?: number, mutantActivation: 'static' | 'runtime' }} options */
  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }) {
    // Stryker allows a hundred times what the tests do: a loop that ends only then costs seconds.
    const most = hitLimit === undefined ? undefined : Math.ceil(hitLimit / 20)
    const { outcomes, hits } = await this.#ask({
      mutant: activeMutant.id,
      activation: mutantActivation,
      tests: testFilter,
      hitLimit: most,
    })
    if (most !== undefined && hits > most)
      return { status: 'timeout', reason: `hit limit reached (${hits}/${most})` }
    const failed = outcomes.find(({ failure }) => failure !== undefined)
    if (failed === undefined) return { status: 'survived', nrOfTests: outcomes.length }
    return {
      status: 'killed',
      killedBy: [failed.id],
      failureMessage: failed.failure,
      nrOfTests: outcomes.length,
    }
  }

  async dispose() {
    this.#channel.postMessage('end')
    await this.#run
    await this.#vitest?.close()
    this.#channel.close()
  }

  /** @param {Omit<Order, 'kind'>} order @returns {Promise<Answer>} */
  async #ask(order) {
    if (this.#run === undefined) await this.#start(order)
    return new Promise((resolve) => {
      this.#hear = (message) => {
        if (message.kind === 'answer') resolve(message)
      }
      this.#channel.postMessage({ kind: 'order', ...order })
    })
  }

  /** @param {Omit<Order, 'kind'>} order */
  async #start({ mutant, activation }) {
    process.env.NODE_ENV = 'test'
    process.env.VITEST = '1'
    // What runs at load must find its mutant on.
    process.env.ROCKPOOL_STATIC_MUTANT = activation === 'static' ? mutant : ''
    this.#channel.onmessage = (event) =>
      this.#hear(/** @type {MessageEvent} */ (/** @type {unknown} */ (event)).data)
    this.#vitest = await createVitest('test', { config: 'test/mutation/vitest.config.ts', watch: false })
    const ready = new Promise((resolve, reject) => {
      this.#hear = (message) => message === 'ready' && resolve(undefined)
      this.#run = this.#vitest?.start()
      this.#run?.then(() => reject(new Error('the tests ended before they were asked')), reject)
    })
    await ready
  }
}

/** @param {import('./messages.mjs').TestOutcome} outcome */
function asTest({ id, ms }) {
  // The number is Stryker's word for passed.
  return { id, name: id, timeSpentMs: ms, status: 0 }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'resident', factory: () => new ResidentRunner() }]
