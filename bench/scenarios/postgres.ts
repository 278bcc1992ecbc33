import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Metric, Reading, Scenario, Server, Setting, Trial } from '../harness/scenario.ts'
import { cpuMs, stopwatch } from '../harness/time.ts'
import { type Database, openDatabase, ROWS } from '../subjects/databases.ts'

const TASKS = 64
/** Statements of a turn that are not counted: connections open, statements are prepared, speeds are learnt. */
const LEAD_IN = 6_000

const POOLS = ['rockpool', 'pg-pool', 'postgres.js'] as const
const GENERIC = ['tarn + pg', 'generic-pool + pg'] as const
const PIPELINES = ['bound: 1 pipelined', 'bound: 10 pipelined'] as const

const rate: Metric = { name: 'rate', title: 'a second', unit: '/s', digits: 0 }
const cpu: Metric = { name: 'cpuUs', title: 'CPU each', unit: 'us', digits: 1 }
const latency = (share: string): Metric => ({
  name: share,
  title: `${share}, fast ones`,
  unit: 'ms',
  digits: 2,
})

interface Facts {
  name: string
  title: string
  about: string
  work: (database: Database, id: number) => Promise<unknown>
  subjects: (quick: boolean) => readonly string[]
  /** One statement in so many is a slow one. */
  slowOneIn?: number
}

const byQuery = (quick: boolean) =>
  quick ? [...POOLS, PIPELINES[0]] : [...POOLS, 'rockpool (lending)', ...GENERIC, ...PIPELINES]

const tests: readonly Facts[] = [
  {
    name: 'select',
    title: '`SELECT 1` by query',
    about:
      'Unfair to pg-pool and the bounds, which send the text by the simple protocol each time: rockpool prepares it by ' +
      'itself, and executes up to sixteen with one Sync behind them all. postgres.js prepares it too, and pipelines on each ' +
      'of its ten connections. The bounds are `pg` clients in pipeline mode that all tasks share blindly: nobody could borrow ' +
      'one, and one slow statement holds up all the others.',
    work: (database) => database.selectOne(),
    subjects: byQuery,
  },
  {
    name: 'lookup',
    title: 'Prepared lookup by primary key, by query',
    about:
      'pg-pool and the bounds are given a name for the statement; rockpool and postgres.js prepare by themselves. The bounds ' +
      'send a Sync behind each execution, rockpool one behind up to sixteen.',
    work: (database, id) => database.lookup(id),
    subjects: byQuery,
  },
  {
    name: 'mix-0.1',
    title: 'The same, 0.1 % of the statements take 20 ms',
    about: 'Latencies are those of the fast statements.',
    work: (database, id) => database.lookup(id),
    subjects: byQuery,
    slowOneIn: 1_000,
  },
  {
    name: 'mix-2',
    title: 'The same, 2 % of the statements take 20 ms',
    about:
      'Ten connections that wait 20 ms for one statement in fifty are busy with little else: 25 000 statements a second is ' +
      'all that can be had.',
    work: (database, id) => database.lookup(id),
    subjects: byQuery,
    slowOneIn: 50,
  },
  {
    name: 'borrowed',
    title: 'Borrowed connections: acquire, `SELECT 1`, release',
    about:
      "rockpool's lease keeps statements in line and watches the session; `pg's own query` leaves both to the caller, as " +
      'pg-pool does.',
    work: (database) => database.borrowed?.() ?? Promise.reject(new Error('cannot lend')),
    subjects: (quick) => [...POOLS, "rockpool, pg's own query", ...(quick ? [] : GENERIC)],
  },
  {
    name: 'transaction',
    title: 'Transaction: select and update of one row',
    about: 'All statements are prepared: pg-pool and the generic pools are given names for them.',
    work: (database, id) => database.transaction?.(id) ?? Promise.reject(new Error('cannot lend')),
    subjects: (quick) => [...POOLS, ...(quick ? [] : GENERIC)],
  },
]

export const postgres: readonly Scenario[] = [
  ...tests.map((facts) => scenario(facts, false)),
  ...tests.map((facts) => scenario(facts, true)),
]

function scenario(facts: Facts, socket: boolean): Scenario {
  const { name, title, about, subjects, slowOneIn } = facts
  const where = socket ? 'over a unix socket' : 'over TCP'
  return {
    name: socket ? `${name}-unix` : name,
    title: `PostgreSQL ${where}: ${title.charAt(0).toLowerCase() === '`' ? title : lowerFirst(title)}`,
    about: `${TASKS} tasks, 10 connections. ${about}`,
    metrics:
      slowOneIn === undefined ? [rate, cpu] : [rate, cpu, latency('p50'), latency('p95'), latency('p99')],
    plotted: { metric: 'rate', less: false },
    needsServer: true,
    long: socket,
    subjects,
    plan: (quick) => ({ rounds: quick ? 3 : 11, budgetMs: 120_000 }),
    start: (subject, setting) => start(subject, setting, { facts, socket }),
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

async function start(
  subject: string,
  { server, quick }: Setting,
  { facts, socket }: { facts: Facts; socket: boolean },
): Promise<Trial> {
  const database = await openDatabase(subject, server as Server, { socket })
  const crowd = new Crowd(database, facts)
  await crowd.run((statements) => statements < LEAD_IN)
  return {
    async run(): Promise<Reading> {
      const forMs = quick ? 300 : 1_500
      // What has been idle meanwhile may be checked before it is lent: not what is measured here.
      await crowd.run((statements) => statements < LEAD_IN / 12)
      const cpuBefore = cpuMs()
      const elapsed = stopwatch()
      const { statements, latencies } = await crowd.run(() => elapsed() < forMs)
      const figures = {
        rate: (statements * 1000) / elapsed(),
        cpuUs: ((cpuMs() - cpuBefore) * 1000) / statements,
      }
      if (latencies === undefined) return figures
      const at = (percent: number) => latencies.percentile(percent) / 1e6
      return { ...figures, p50: at(50), p95: at(95), p99: at(99) }
    },
    end: () => void database.close(),
  }
}

class Crowd {
  readonly #database: Database
  readonly #facts: Facts
  /** The same rows and the same slow ones for everybody, scattered. */
  #seed = 1

  constructor(database: Database, facts: Facts) {
    this.#database = database
    this.#facts = facts
  }

  async run(
    goesOn: (statements: number) => boolean,
  ): Promise<{ statements: number; latencies: RecordableHistogram | undefined }> {
    const { slowOneIn } = this.#facts
    const latencies = slowOneIn === undefined ? undefined : createHistogram()
    let statements = 0
    const task = async () => {
      while (goesOn(statements)) {
        statements++
        await this.#one(latencies)
      }
    }
    await Promise.all(Array.from({ length: TASKS }, task))
    return { statements, latencies }
  }

  #one(latencies: RecordableHistogram | undefined): Promise<unknown> {
    const { work, slowOneIn } = this.#facts
    const chance = this.#random()
    const id = 1 + Math.floor(chance * ROWS)
    if (latencies === undefined || slowOneIn === undefined) return work(this.#database, id)
    if (this.#random() < 1 / slowOneIn) return this.#database.slow()
    return this.#timed(latencies, id)
  }

  async #timed(latencies: RecordableHistogram, id: number): Promise<void> {
    const elapsed = stopwatch()
    await this.#facts.work(this.#database, id)
    latencies.record(Math.max(1, Math.round(elapsed() * 1e6)))
  }

  /** A linear congruential generator: the same sequence in every process. */
  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed / 2 ** 32
  }
}
