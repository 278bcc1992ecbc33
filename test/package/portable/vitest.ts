import assert from 'node:assert'

// What a conformance file needs of vitest, for runtimes on which vitest itself is not the question.

const LIMIT_MS = 120_000

type Run = (context: { skip(reason: string): never }) => unknown

const tests: { name: string; run: Run }[] = []
const after: (() => unknown)[] = []
/** Of the test that runs now. */
const finished: (() => unknown)[] = []
const path: string[] = []

export function describe(name: string, define: () => void): void {
  path.push(name)
  define()
  path.pop()
}

export function it(name: string, run: Run): void {
  tests.push({ name: [...path, name].join(' > '), run })
}

export function test(name: string, run: Run): void {
  it(name, run)
}

export function afterAll(run: () => unknown): void {
  after.push(run)
}

export function onTestFinished(run: () => unknown): void {
  finished.push(run)
}

export function expect(value: unknown) {
  return {
    toEqual: (wanted: unknown) => assert.deepStrictEqual(value, wanted),
    toBe: (wanted: unknown) => assert.strictEqual(value, wanted),
  }
}

class Skip {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

const context = {
  skip(reason: string): never {
    throw new Skip(reason)
  },
}

export async function runAll(): Promise<void> {
  let failed = tests.length === 0 ? 1 : 0
  for (const { name, run } of tests) {
    const error = await outcome(run)
    if (error === undefined || error instanceof Skip) continue
    failed++
    console.log(`failed: ${name}`, error)
  }
  for (const run of after) await run()
  console.log(`${tests.length} tests, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

async function outcome(run: Run): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${LIMIT_MS} ms`)), LIMIT_MS)
  })
  try {
    await Promise.race([run(context), limit])
    return undefined
  } catch (error) {
    return error
  } finally {
    clearTimeout(timer)
    for (const run of finished.splice(0)) await run()
  }
}
