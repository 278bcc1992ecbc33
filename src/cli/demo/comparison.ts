import type { SqlDriver } from '../../contract/sql-driver.ts'
import { createPool } from '../../create-pool.ts'
import type { View } from '../view.ts'
import { counted, duration, perSecond, times } from './figures.ts'
import { type Stage, withPool } from './stage.ts'

/** What one way of doing it came to. */
export interface Run {
  readonly queries: number
  readonly ms: number
  readonly connections: number
}

export interface Comparison {
  readonly label: string
  readonly alone: Run
  readonly pooled: Run
  /** How much more the pool did in the same time. */
  readonly ratio: number
}

const QUERY = 'select 1 as one'
const WARM_UP = 20

/** Where a login takes long, fewer queries are run, and the figures say how many. */
const LIMIT_MS = { warmUp: 500, pooled: 3000 }
/** A server of our own is near: only a busy machine makes it slow. */
const ALONE_LIMIT_MS = { own: { one: 11_000, many: 5000 }, given: { one: 8000, many: 4000 } }

/** A connection for each query, by the driver alone, against a pool. */
export async function compare(stage: Stage): Promise<Comparison[]> {
  const { tasks } = stage.size
  await warmUp(stage)
  return [
    await compareWith(stage, 1, 'one after another'),
    await compareWith(stage, tasks, `${tasks} tasks at once`),
  ]
}

async function compareWith(stage: Stage, tasks: number, label: string): Promise<Comparison> {
  const { screen } = stage
  const { bold, good, symbols } = screen.look
  screen.line(`   ${label}`)
  const alone = await runAlone(stage, tasks)
  screen.line(`     without a pool  ${describe(alone)}`)
  if (alone.queries < stage.size.queries) screen.line(screen.look.dim('     (time was up)'))
  const pooled = await runPooled(stage, tasks)
  const ratio = pooled.queries / pooled.ms / (alone.queries / alone.ms)
  screen.line(`   ${good(symbols.done)} pooled          ${describe(pooled)}  ${bold(times(ratio))}`)
  return { label, alone, pooled, ratio }
}

function describe({ queries, ms, connections }: Run): string {
  const took = `${counted(queries, 'query', 'queries')} in ${duration(ms)}`
  return `${took.padEnd(24)}${perSecond(queries, ms).padStart(9)}   ${counted(connections, 'connection')}`
}

async function runAlone(stage: Stage, tasks: number): Promise<Run> {
  const driver = stage.database.driver(stage.database.application)
  const limitMs = ALONE_LIMIT_MS[stage.database.kind][tasks === 1 ? 'one' : 'many']
  const run = await spread(stage, { tasks, limitMs }, () => queryAlone(driver, stage.signal))
  return { ...run, connections: run.queries }
}

async function queryAlone(driver: SqlDriver<unknown>, signal: AbortSignal): Promise<void> {
  const connection = await driver.connect({ signal })
  try {
    await driver.query(connection, QUERY, [], {})
  } finally {
    await driver.close(connection)
  }
}

async function runPooled(stage: Stage, tasks: number): Promise<Run> {
  const { database } = stage
  // As many at a time as without a pool.
  const pool = createPool(database.driver(database.application), { name: 'demo', max: tasks })
  return withPool(stage, pool, async () => {
    const run = await spread(stage, { tasks, limitMs: LIMIT_MS.pooled }, () => pool.query(QUERY))
    return { ...run, connections: pool.stats().created }
  })
}

/** Runs the queries in so many tasks. */
async function spread(
  { screen, size, signal }: Stage,
  { tasks, limitMs }: { tasks: number; limitMs: number },
  query: () => Promise<unknown>,
): Promise<{ queries: number; ms: number }> {
  let begun = 0
  let queries = 0
  const since = performance.now()
  const task = async () => {
    while (begun < size.queries && performance.now() - since < limitMs && !signal.aborted) {
      begun++
      await query()
      queries++
    }
  }
  const view: View = {
    progress: () => queries / size.queries,
    count: () => `${queries}/${size.queries}`,
    lines: () => [],
    words: () => undefined,
  }
  await screen.follow(Promise.all(Array.from({ length: tasks }, task)), view)
  signal.throwIfAborted()
  return { queries, ms: performance.now() - since }
}

/** Neither side pays for the first steps of a server and of a program. */
async function warmUp(stage: Stage): Promise<void> {
  const { database, signal } = stage
  const driver = database.driver(database.application)
  await repeat(signal, () => queryAlone(driver, signal))
  const pool = createPool(driver, { name: 'demo', max: 1 })
  await withPool(stage, pool, () => repeat(signal, () => pool.query(QUERY)))
}

async function repeat(signal: AbortSignal, query: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + LIMIT_MS.warmUp
  for (let n = 0; n < WARM_UP && performance.now() < until; n++) {
    signal.throwIfAborted()
    await query()
  }
}
