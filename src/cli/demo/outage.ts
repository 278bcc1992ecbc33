import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectionLostError, messageOf } from '../../contract/errors.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { createPool } from '../../create-pool.ts'
import type { View } from '../view.ts'
import { Answers } from './answers.ts'
import { counted, duration } from './figures.ts'
import { drawGauges, wordGauges } from './gauges.ts'
import { type Stage, withPool } from './stage.ts'
import type { Watcher } from './watcher.ts'

const QUERY = 'select pg_sleep(0.01)'
const RECOVERY_LIMIT_MS = 5000
/** When, as a share of the whole. */
const BLOW_AT = 0.4

/** What the blow did and how it was taken. */
interface Recovery {
  readonly ended: number
  readonly lost: number
  readonly opened: number
  /** From the blow until all connections are open again. */
  readonly ms: number
}

/** Ends all of our connections in the middle of the work. */
export async function showOutage(stage: Stage, watcher: Watcher): Promise<void> {
  const { database, size } = stage
  await watcher.settled()
  const pool = createPool(database.driver(database.application), {
    name: 'demo',
    max: size.connections,
    acquireTimeoutMs: 10_000,
  })
  await withPool(stage, pool, async () => {
    const answers = new Answers(size.outageMs)
    const work = Promise.all([
      keepAsking(stage, pool, answers),
      sleep(size.outageMs * BLOW_AT).then(() => strike(pool, watcher, answers)),
    ])
    const [, recovery] = await stage.screen.follow(work, viewOf(stage, pool, answers))
    report(stage, answers, recovery)
  })
}

/** Half of the tasks say that their query may run twice. */
async function keepAsking({ size, signal }: Stage, pool: SqlPool, answers: Answers): Promise<void> {
  const task = async (idempotent: boolean) => {
    while (!answers.over && !signal.aborted) {
      try {
        await pool.query(QUERY, [], { idempotent })
        answers.add()
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error
        answers.fail(idempotent ? 'idempotent' : 'other')
      }
    }
  }
  await Promise.all(Array.from({ length: size.tasks }, (_, n) => task(n % 2 === 0)))
  signal.throwIfAborted()
}

async function strike(pool: SqlPool, watcher: Watcher, answers: Answers): Promise<Recovery | string> {
  const before = pool.stats()
  const since = performance.now()
  answers.struck()
  let ended: number
  try {
    ended = await watcher.endAll()
  } catch (error) {
    // Who may not end even his own connections sees the rest of the demo all the same.
    if (typeof (error as { severity?: unknown }).severity === 'string') return messageOf(error)
    throw error
  }
  const isWhole = () => {
    const { created, leased, idle } = pool.stats()
    return created - before.created >= ended && leased + idle >= before.total
  }
  while (!isWhole() && performance.now() - since < RECOVERY_LIMIT_MS) await sleep(1)
  const ms = performance.now() - since
  if (!isWhole()) throw new Error(`the pool had not recovered after ${duration(ms)}`)
  const { closed, created } = pool.stats()
  return { ended, ms, lost: closed.lost - before.closed.lost, opened: created - before.created }
}

function viewOf({ size }: Stage, pool: SqlPool, answers: Answers): View {
  return {
    progress: () => answers.elapsedMs / size.outageMs,
    count: () => counted(answers.count, 'answer'),
    lines: (look) => [
      ...drawGauges(pool.stats(), look),
      `answers      ${look.busy(answers.line(look.symbols.levels))}`,
    ],
    words: () => wordGauges(pool.stats()),
  }
}

function report(stage: Stage, answers: Answers, recovery: Recovery | string): void {
  if (typeof recovery === 'string') tellLeftOut(stage, `the server does not let us: ${recovery}`)
  else if (recovery.ended === 0) tellLeftOut(stage, 'the server does not list our connections')
  else tellRecovery(stage, answers, recovery)
}

function tellRecovery({ screen, size }: Stage, answers: Answers, recovery: Recovery): void {
  const { good, symbols } = screen.look
  const tell = (text: string) => screen.line(`   ${good(symbols.done)} ${text}`)
  const { ended, lost, opened, ms } = recovery
  const { idempotent, other } = answers.failed
  tell(`${counted(ended, 'connection')} ended by the server: ${lost} lost, ${opened} opened instead`)
  tell(`whole again after ${duration(ms)}; longest pause between answers ${duration(answers.longestPauseMs)}`)
  tell(`${counted(answers.count, 'answer')} to ${size.tasks} tasks; CONNECTION_LOST was told to`)
  screen.line(
    `     ${counted(other, 'query', 'queries')} that may not run twice, and to ${idempotent} that may`,
  )
  screen.line(`     answers in each tenth of a second  ${answers.line(symbols.levels)}`)
}

function tellLeftOut({ screen }: Stage, why: string): void {
  const { bad, symbols } = screen.look
  screen.line(`   ${bad(symbols.failed)} left out: ${why}`)
}
