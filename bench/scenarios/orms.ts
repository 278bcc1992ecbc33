import type { Metric, Reading, Scenario, Server, Setting, Trial } from '../harness/scenario.ts'
import { cpuMs, stopwatch } from '../harness/time.ts'
import { ROWS } from '../subjects/databases.ts'
import { type OrmEntry, orms } from '../subjects/orms/index.ts'

const TASKS = 10
const LEAD_IN = 2_000

const rate: Metric = { name: 'rate', title: 'a second', unit: '/s', digits: 0 }
const cpu: Metric = { name: 'cpuUs', title: 'CPU each', unit: 'us', digits: 1 }

const OURS = 'rockpool'
export const THEIRS = 'its own pool'

/** What each ORM pays, or gains, by standing on rockpool. */
export const ormScenarios: readonly Scenario[] = orms.map((orm) => ({
  name: `orm-${orm.name}`,
  title: `${orm.title}: lookup by primary key`,
  about: `${TASKS} tasks, 10 connections, PostgreSQL over TCP.`,
  metrics: [rate, cpu],
  plotted: { metric: 'rate', less: false },
  needsServer: true,
  long: true,
  subjects: () => [OURS, THEIRS],
  plan: (quick) => ({ rounds: quick ? 5 : 11, budgetMs: 120_000 }),
  start: (subject, setting) => start(orm, subject, setting),
}))

async function start(entry: OrmEntry, subject: string, { server, quick }: Setting): Promise<Trial> {
  const orm = await entry.load()
  const { lookup, close } = await (subject === OURS ? orm.ours : orm.theirs)(server as Server)
  let id = 0
  const crowd = async (goesOn: (lookups: number) => boolean) => {
    let lookups = 0
    const task = async () => {
      while (goesOn(lookups)) {
        lookups++
        id = (id + 7919) % ROWS
        await lookup(id + 1)
      }
    }
    await Promise.all(Array.from({ length: TASKS }, task))
    return lookups
  }
  await crowd((lookups) => lookups < LEAD_IN)
  return {
    async run(): Promise<Reading> {
      const forMs = quick ? 500 : 1_500
      await crowd((lookups) => lookups < LEAD_IN / 20)
      const cpuBefore = cpuMs()
      const elapsed = stopwatch()
      const lookups = await crowd(() => elapsed() < forMs)
      return { rate: (lookups * 1000) / elapsed(), cpuUs: ((cpuMs() - cpuBefore) * 1000) / lookups }
    },
    end: async () => void (await close()),
  }
}
