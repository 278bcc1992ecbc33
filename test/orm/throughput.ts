/** Looks up one row by its primary key. */
export type Lookup = (id: number) => Promise<unknown>

/** Ours divided by theirs, for each of five pairs. */
export interface Ratios {
  /** Lookups a second. */
  readonly rate: number[]
  /** CPU time of this process for a lookup: less is better, and other programs of the machine matter less. */
  readonly cpu: number[]
}

const ROWS = 1_000
export const ACCOUNTS = `create table accounts (id int primary key, name text not null, balance int not null);
  insert into accounts select n, 'name ' || n, n from generate_series(1, ${ROWS}) n`

const TASKS = 10
const PAIRS = 5
/** Each pair takes turns this often, so that what else runs on the machine hits both. */
const TURNS = 10
const TURN_MS = 80

interface Tally {
  lookups: number
  ms: number
  cpuUs: number
}

export async function compareLookups(ours: Lookup, theirs: Lookup): Promise<Ratios> {
  await pair(ours, theirs)
  const found: Ratios = { rate: [], cpu: [] }
  for (let n = 0; n < PAIRS; n++) {
    const [mine, other] = await pair(ours, theirs)
    found.rate.push(mine.lookups / mine.ms / (other.lookups / other.ms))
    found.cpu.push(mine.cpuUs / mine.lookups / (other.cpuUs / other.lookups))
  }
  return found
}

async function pair(ours: Lookup, theirs: Lookup): Promise<[Tally, Tally]> {
  const tallies: [Tally, Tally] = [
    { lookups: 0, ms: 0, cpuUs: 0 },
    { lookups: 0, ms: 0, cpuUs: 0 },
  ]
  for (let turn = 0; turn < TURNS; turn++) {
    await run(ours, tallies[0])
    await run(theirs, tallies[1])
  }
  return tallies
}

async function run(lookup: Lookup, tally: Tally): Promise<void> {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  let id = 0
  const task = async () => {
    while (performance.now() - startedAt < TURN_MS) {
      id = (id + 7919) % ROWS
      await lookup(id + 1)
      tally.lookups++
    }
  }
  await Promise.all(Array.from({ length: TASKS }, task))
  const { user, system } = process.cpuUsage(cpu)
  tally.cpuUs += user + system
  tally.ms += performance.now() - startedAt
}

/** `rate 0.98 (0.94 to 1.03), CPU 1.01 (0.99 to 1.02)`: medians and spreads. */
export function spread({ rate, cpu }: Ratios): string {
  return `rate ${middle(rate)}, CPU ${middle(cpu)}`
}

function middle(found: readonly number[]): string {
  const [least, , median, , most] = [...found].sort((a, b) => a - b).map((ratio) => ratio.toFixed(2))
  return `${median} (${least} to ${most})`
}
