import { AsyncLocalStorage } from 'node:async_hooks'
import { BroadcastChannel } from 'node:worker_threads'
import { type RunnerTask, type RunnerTestCase, type RunnerTestFile, TestRunner } from 'vitest'
import { getFn } from 'vitest/suite'
import { type Answer, CHANNEL, NAMESPACE, type Order, type TestOutcome } from './messages.mjs'

interface Switches {
  activeMutant?: string
  currentTestId?: string
  mutantCoverage?: Answer['coverage']
  hitCount?: number
  hitLimit?: number
}

/**
 * Loads the tests once and runs them as often as there are mutants: a new worker for each would cost far more than the
 * tests, which take a few milliseconds of virtual time.
 */
export default class Resident extends TestRunner {
  async onCollected(files: RunnerTestFile[]): Promise<void> {
    const tests = new Map<string, RunnerTestCase>()
    for (const test of testsOf(files)) tests.set(unused(tests, test.fullTestName ?? test.name), test)
    await serve(tests)
    for (const test of tests.values()) test.mode = 'skip'
  }
}

function switchesOf(shared: Record<string, Switches | undefined>): Switches {
  shared[NAMESPACE] ??= {}
  return shared[NAMESPACE]
}

function unused(tests: ReadonlyMap<string, unknown>, name: string): string {
  let free = name
  for (let n = 2; tests.has(free); n++) free = `${name} (${n})`
  return free
}

function* testsOf(tasks: readonly RunnerTask[]): Iterable<RunnerTestCase> {
  for (const task of tasks) {
    if (task.type === 'test') yield task
    else yield* testsOf(task.tasks)
  }
}

function serve(tests: ReadonlyMap<string, RunnerTestCase>): Promise<void> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(CHANNEL)
    const quickest = new Map<string, number>()
    channel.onmessage = async (event) => {
      const message = (event as { data: Order | 'end' | Answer }).data
      if (message === 'end') {
        channel.close()
        return resolve()
      }
      if (message.kind === 'order') channel.postMessage(await obey(message, tests, quickest))
    }
    channel.postMessage('ready')
  })
}

async function obey(
  order: Order,
  tests: ReadonlyMap<string, RunnerTestCase>,
  quickest: Map<string, number>,
): Promise<Answer> {
  const switches = switchesOf(globalThis as unknown as Record<string, Switches | undefined>)
  switches.activeMutant = order.mutant
  switches.hitCount = order.hitLimit === undefined ? undefined : 0
  switches.hitLimit = order.hitLimit
  // What a test leaves running touches code between the tests as well: only what loading touched is static.
  const loaded = structuredClone(switches.mutantCoverage?.static ?? {})
  const outcomes: TestOutcome[] = []
  const ids = [...(order.tests ?? tests.keys())]
  if (order.mutant !== undefined) ids.sort((a, b) => (quickest.get(a) ?? 0) - (quickest.get(b) ?? 0))
  for (const id of ids) {
    const test = tests.get(id)
    if (test === undefined || test.mode === 'skip') continue
    if (order.mutant === undefined) switches.currentTestId = id
    const outcome = await outcomeOf(id, test)
    switches.currentTestId = undefined
    outcomes.push(outcome)
    if (order.mutant === undefined) {
      quickest.set(id, outcome.ms)
      // It must pass again and again: one that does not is of no use here.
      outcome.failure ??= (await outcomeOf(id, test)).failure
      if (outcome.failure !== undefined) process.stdout.write(`left out: ${id}: ${outcome.failure}\n`)
    }
    if (outcome.failure !== undefined && order.mutant !== undefined) break
  }
  switches.activeMutant = undefined
  // What a failed test has left behind ends without a mutant.
  await new Promise((resolve) => setImmediate(resolve))
  const hits = switches.hitCount ?? 0
  switches.hitCount = undefined
  const coverage = { static: loaded, perTest: structuredClone(switches.mutantCoverage?.perTest ?? {}) }
  return {
    kind: 'answer',
    outcomes,
    hits,
    coverage,
  }
}

const running = new AsyncLocalStorage<{ over: boolean }>()

/** A test that was given up would go on turning its clock for ever: after its end it gets no more turns. */
const turn = globalThis.setImmediate
globalThis.setImmediate = Object.assign((...args: Parameters<typeof turn>) => {
  if (running.getStore()?.over === true) return undefined as unknown as NodeJS.Immediate
  return turn(...args)
}, turn)

async function outcomeOf(id: string, test: RunnerTestCase): Promise<TestOutcome> {
  const since = performance.now()
  const self = { over: false }
  let failure: string | undefined
  try {
    await running.run(self, () => getFn(test)())
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  self.over = true
  const ending = test as { onFinished?: ((context: object) => unknown)[] }
  for (const finished of ending.onFinished ?? []) await finished({ task: test })
  ending.onFinished = undefined
  return { id, failure, ms: performance.now() - since }
}
