import { sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { AcquireTimeoutError } from '../../contract/errors.ts'
import type { PoolEvent } from '../../contract/events.ts'
import type { SqlLease, SqlPool } from '../../contract/sql.ts'
import { createPool } from '../../create-pool.ts'
import { counted, duration } from './figures.ts'
import { type Stage, withPool } from './stage.ts'
import type { Watcher } from './watcher.ts'

const MAX = 3
const LEAK_THRESHOLD_MS = 150
const LEAK_LIMIT_MS = 5000
const PATIENCE_MS = 250
const DRAIN_MS = 500
/** Of the drain, so that the work is done in time on a busy machine too. */
const WORK_MS = 100
const WIDTH = 74

/** A leak, a full pool, and a close that tells what it found. */
export async function showMistakes(stage: Stage, watcher: Watcher): Promise<void> {
  const { screen, database } = stage
  const { good, symbols } = screen.look
  await watcher.settled()
  const pool = createPool(database.driver(database.application), {
    name: 'orders',
    max: MAX,
    leakThresholdMs: LEAK_THRESHOLD_MS,
  })
  await withPool(stage, pool, () => makeMistakes(stage, pool))
  const left = await watcher.settled()
  if (left > 0) throw new Error(`the server still counts ${counted(left, 'connection')} of ours`)
  screen.line(`   ${good(symbols.done)} the server counts no connection of ours any more`)
}

async function makeMistakes(stage: Stage, pool: SqlPool): Promise<void> {
  const leaks: PoolEvent[] = []
  pool.on('leak', (event) => leaks.push(event))
  // Kept, or one day the garbage collector would find them.
  const forgotten = [await forgetToRelease(pool), await forgetToRelease(pool)]
  await leaked(leaks, forgotten.length)
  tellLeak(stage, pool, leaks[0] as PoolEvent)
  const last = await pool.acquire()
  await tellFull(stage, pool)
  await Promise.all([tellClose(stage, pool), work(last)])
}

/** The bug that the pool is to find. */
async function forgetToRelease(pool: SqlPool): Promise<SqlLease<unknown>> {
  const lease = await pool.acquire()
  await lease.query('select 1 as one')
  return lease
}

async function leaked(leaks: readonly PoolEvent[], wanted: number): Promise<void> {
  const deadline = performance.now() + LEAK_LIMIT_MS
  while (leaks.length < wanted) {
    if (performance.now() > deadline) throw new Error('the leaks were not found')
    await sleep(5)
  }
}

function tellLeak({ screen }: Stage, pool: SqlPool, { ms = 0, stack = '' }: PoolEvent): void {
  const { good, bold, symbols } = screen.look
  const found = `${counted(pool.stats().leaked, 'leak')} found: held for ${duration(ms)}, taken`
  screen.line(`   ${good(symbols.done)} ${found}`)
  for (const frame of frames(stack, 1)) screen.line(`     ${bold(frame)}`)
}

/** On the last connection, while the pool closes. */
async function work(lease: SqlLease<unknown>): Promise<void> {
  await lease.query('select pg_sleep($1)', [WORK_MS / 1000])
  lease.release()
}

async function tellFull({ screen }: Stage, pool: SqlPool): Promise<void> {
  const { good, dim, symbols } = screen.look
  const error: unknown = await pool.acquire({ timeoutMs: PATIENCE_MS }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AcquireTimeoutError)) throw error ?? new Error('the pool was not full')
  screen.line(`   ${good(symbols.done)} a full pool says who holds it: ${error.name}, ${error.code}`)
  const [headline = '', ...stack] = error.message.split('\n')
  for (const line of wrap(headline, WIDTH)) screen.line(`     ${dim(line)}`)
  for (const frame of frames(stack.join('\n'), 2)) screen.line(`     ${dim(frame)}`)
}

async function tellClose({ screen }: Stage, pool: SqlPool): Promise<void> {
  const { good, symbols } = screen.look
  const waiter = pool.acquire().catch((error: unknown) => error)
  const report = await pool.close({ drainTimeoutMs: DRAIN_MS })
  await waiter
  const { closed, destroyed, abandoned, rejected, durationMs } = report
  screen.line(`   ${good(symbols.done)} close() took ${duration(durationMs)} and reports:`)
  screen.line(
    `     closed ${closed}, destroyed ${destroyed} (the leaks), abandoned ${abandoned}, rejected ${rejected} (a caller)`,
  )
}

/** The first lines of a stack, with paths as seen from where the program runs. */
function frames(stack: string, count: number): string[] {
  const here = process.cwd()
  const lines = stack.split('\n').map((line) => {
    return line
      .trim()
      .replace(`${pathToFileURL(here).href}/`, '')
      .replace(here + sep, '')
  })
  return lines.filter((line) => line.startsWith('at ')).slice(0, count)
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
