import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createPool, type SqlPool } from '../../src/index.ts'
import { startEmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { FaultProxy } from '../../src/testing/fault-proxy.ts'
import { Random } from '../../src/testing/random.ts'
import { call, type Tally } from './callers.ts'
import { ask, heal, MAX, makeTrouble, type World } from './faults.ts'
import { HeapWatch } from './heap.ts'

// Everything that callers may do, while everything happens that can go wrong, for as long as one likes:
// `npm run soak -- --minutes 10 [--seed 1] [--plant-leak]`. It exits with 1 when something did not hold.

const CALLERS = 24
const ROUNDS = 12
const HANGS_MS = 60_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'plant-leak': { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new RangeError(`--minutes ${values.minutes}: a number above 0`)
const random = new Random(Number(values.seed))
process.stdout.write(`soak: ${minutes} min, --seed ${random.seed}\n`)

const tally: Tally = {
  calls: 0,
  succeeded: 0,
  failed: new Map(),
  acknowledged: 0,
  unknown: 0,
  violations: [],
}
const violate = (what: string) => void tally.violations.push(what)
process.on('uncaughtException', (error) => violate(`uncaught: ${error?.stack ?? error}`))
process.on('unhandledRejection', (error) => violate(`unhandled: ${(error as Error)?.stack ?? error}`))

/** With --plant-leak: what a leak looks like, to show that the check sees one. */
const planted: number[][] = []
const heap = new HeapWatch()

// What was acknowledged must survive a crash of the server.
const server = await startEmbeddedPostgres({ maxConnections: 40, settings: { synchronous_commit: 'on' } })
try {
  await ask(server, 'create table soak (n int)')
  const before = handles()
  const faults = await soak()
  await checkNothingIsLeft(before)
  report(faults)
} finally {
  await server.close()
}
process.exitCode = tally.violations.length === 0 ? 0 : 1

async function soak(): Promise<number> {
  const proxy = await new FaultProxy(server).listen()
  const pool = createPool(proxy.url(server.url()), {
    max: MAX,
    acquireTimeoutMs: 5_000,
    connectTimeoutMs: 600,
    validateTimeoutMs: 300,
    resetTimeoutMs: 400,
    closeTimeoutMs: 3_000,
    validateAfterIdleMs: 50,
    idleTimeoutMs: 1_500,
    maxLifetimeMs: 4_000,
    maxUses: 500,
    keepaliveMs: 700,
  })
  const world = { server, proxy, pool, random: random.fork() }
  let faults = 0
  for (let round = 0; round < ROUNDS; round++) {
    faults += await stormyRound(world, (minutes * 60_000) / ROUNDS)
    await heal(world)
    await checkCalm(pool)
    heap.sample()
    process.stdout.write(`  ${round + 1}/${ROUNDS}: ${tally.calls} calls, ${faults} faults, heap ${heap}\n`)
  }
  const { abandoned } = await pool.close({ drainTimeoutMs: 5_000 })
  if (abandoned > 0) violate(`${abandoned} sockets did not close in calm weather`)
  await proxy.close()
  return faults
}

/** A round that does not end by itself ends the run: then somebody waits for ever. */
async function stormyRound(world: World, ms: number): Promise<number> {
  const hangs = setTimeout(() => {
    violate(`the round does not end: ${JSON.stringify(world.pool.stats())} ${handles()}`)
    report(0)
    process.exit(1)
  }, ms + HANGS_MS)
  try {
    return await storm(world, ms)
  } finally {
    clearTimeout(hangs)
  }
}

/** Callers and faults for a while; resolves when all callers have ended. */
async function storm(world: World, ms: number): Promise<number> {
  const end = performance.now() + ms
  const trouble = makeTrouble(world, () => performance.now() < end)
  let isOn = true
  const callers = Array.from({ length: CALLERS }, () =>
    call(world.pool, {
      random: random.fork(),
      tally,
      isOn: async () => {
        if (values['plant-leak']) planted.push(new Array(512).fill(tally.calls + 0.5))
        return isOn
      },
    }),
  )
  const faults = await trouble
  await heal(world)
  // They go on for a moment: what a fault leaves behind shows when all is well again.
  await sleep(Math.min(1_000, ms / 10))
  isOn = false
  await Promise.all(callers)
  return faults
}

/** In calm weather the pool lends as many connections as it may, and the server counts no more. */
async function checkCalm(pool: SqlPool): Promise<void> {
  try {
    const leases = await Promise.all(Array.from({ length: MAX }, () => pool.acquire()))
    await Promise.all(leases.map((lease) => lease.query('select 1')))
    for (const lease of leases) lease.release()
  } catch (error) {
    violate(`in calm weather not all connections are lent: ${error} ${JSON.stringify(pool.stats())}`)
  }
  await holds(() => {
    const { leased, waiting, resetting, closing } = pool.stats()
    return leased + waiting + resetting + closing === 0
      ? undefined
      : `in calm weather: ${JSON.stringify(pool.stats())}`
  })
  await holds(async () => {
    const count = await sessions()
    return count <= MAX ? undefined : `the server counts ${count} connections of ${MAX}`
  })
}

async function checkNothingIsLeft(before: string): Promise<void> {
  await holds(async () => {
    const count = await sessions()
    return count === 0 ? undefined : `the server counts ${count} connections after close`
  })
  await holds(() => (handles() === before ? undefined : `left behind: ${handles()}, before: ${before}`))
  const [row] = await ask(server, 'select count(*)::int as n from soak')
  const rows = Number(row?.n)
  if (rows < tally.acknowledged || rows > tally.acknowledged + tally.unknown) {
    violate(`${rows} rows, of ${tally.acknowledged} acknowledged and ${tally.unknown} unknown ones`)
  }
  if (heap.violation !== undefined) violate(heap.violation)
}

/** What must hold within a few seconds. */
async function holds(problem: () => Promise<string | undefined> | string | undefined): Promise<void> {
  const deadline = performance.now() + 5_000
  for (;;) {
    const found = await problem()
    if (found === undefined) return
    if (performance.now() > deadline) return violate(found)
    await sleep(20)
  }
}

async function sessions(): Promise<number> {
  const [row] = await ask(
    server,
    `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and application_name <> 'soak-admin'`,
  )
  return Number(row?.n)
}

/** Timers, sockets and listeners of the process. */
function handles(): string {
  const listeners = process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`)
  return [...process.getActiveResourcesInfo(), ...listeners].sort().join(', ')
}

function report(faults: number): void {
  for (const violation of new Set(tally.violations)) process.stdout.write(`violation: ${violation}\n`)
  const failed = [...tally.failed].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`)
  process.stdout.write(`calls that failed as they may: ${failed.join(', ')}\n`)
  process.stdout.write(
    `soak: ${minutes} min, seed ${random.seed}, ${tally.calls} calls, ${tally.succeeded} succeeded, ${faults} faults, ` +
      `heap ${heap}, ${tally.violations.length} violations${planted.length > 0 ? ' (with a planted leak)' : ''}\n`,
  )
}
