import type { Client as PgClient } from 'pg'
import { expect, type TestContext, test } from 'vitest'
import { pg } from '../../src/drivers/pg/index.ts'
import type { SqlDriver, SqlPool } from '../../src/index.ts'
import { Random } from '../../src/testing/random.ts'
import { Census, figures, nothingUncaught, openPool, whole } from '../support/chaos.ts'
import { prepareDatabase, ROLE, tokensOf } from '../support/mixture/database.ts'
import { Mixture } from '../support/mixture/mixture.ts'
import { Saboteur } from '../support/mixture/saboteur.ts'
import { ask, eventually, startPostgres } from '../support/postgres.ts'

const MAX = 10
const USERS = 80
const CALLS = whole ? 100_000 : 6_000
/** For the rest nobody is killed, as that would end a deadlock as well. */
const DISTURBED = 0.8
const seed = Number(process.env.ROCKPOOL_SEED ?? Math.floor(Math.random() * 2 ** 32))
const server = await startPostgres()

test(
  `mixed statements with errors, kills and cancels get their own answers (ROCKPOOL_SEED=${seed})`,
  async (context) => {
    nothingUncaught()
    const { driver, sharing } = observedDriver(await prepareDatabase(server))
    const pool = openPool(driver, { max: MAX, multiplex: 'auto' })
    const errors = unexplainedErrors(pool, driver)
    const census = new Census(server, `usename = '${ROLE}'`)
    const random = new Random(seed)
    const mixture = new Mixture(pool, random.fork(), USERS)
    const saboteur = new Saboteur(server, pool, { random: random.fork(), max: MAX })
    const since = performance.now()
    await disturbed(mixture, saboteur)
    await mixture.runLocks(CALLS)
    tell(context, mixture, { saboteur, census, sharing, seconds: (performance.now() - since) / 1000 })

    await expectRight(mixture)
    expect(errors).toEqual([])
    await expectWhole(pool)
    expect(census.most).toBeLessThanOrEqual(MAX)
    // What was to be shown was there: shared connections, kills, and all the ways to fail.
    expect(sharing.behind).toBeGreaterThan(0)
    expect(saboteur.kills).toBeGreaterThan(0)
    const failures = ['CONNECTION_LOST', 'ABORTED', 'ACQUIRE_TIMEOUT', '22P02']
    expect([...mixture.judge.codes.keys()]).toEqual(expect.arrayContaining(failures))
  },
  whole ? 900_000 : 120_000,
)

async function disturbed(mixture: Mixture, saboteur: Saboteur): Promise<void> {
  const sabotage = saboteur.run(whole ? 100 : 40)
  await mixture.run(CALLS * DISTURBED).finally(() => saboteur.stop())
  await sabotage
}

/** Each call has its own answer, and the tables have what was acknowledged. */
async function expectRight({ judge, ledger, once }: Mixture): Promise<void> {
  expect(judge.wrong).toEqual([])
  expect(judge.open).toEqual([])
  expect(ledger.differences(await tokensOf(server, 'ledger'))).toEqual([])
  expect(once.differences(await tokensOf(server, 'once'))).toEqual([])
}

/** Connections that are killed while they log in or are cleaned have no caller to tell it; other errors are bugs. */
function unexplainedErrors(pool: SqlPool, driver: SqlDriver<PgClient>): unknown[] {
  const errors: unknown[] = []
  pool.on('error', ({ error }) => {
    if (driver.classify?.(error, 'statement') !== 'fatal') errors.push(error)
  })
  return errors
}

/** Nobody holds or waits, and `max` connections can be had at the same time, each as it was made. */
async function expectWhole(pool: SqlPool): Promise<void> {
  pool.resize({ max: MAX })
  await eventually(() => {
    expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0, resetting: 0, closing: 0, connecting: 0 })
  }, 20_000)
  const leases = await Promise.all(Array.from({ length: MAX }, () => pool.acquire()))
  const sql = `select pg_backend_pid() as pid, current_setting('application_name') as app,
    coalesce(current_setting('mixed.tenant', true), '') as tenant, (select owner from shadow) as owner,
    (select count(*)::int from pg_prepared_statements where name = 'mixed_plan') as plans,
    (select count(*)::int from pg_locks where locktype = 'advisory') as locks`
  const rows = await Promise.all(leases.map(async (lease) => (await lease.query(sql)).rows[0]))
  for (const lease of leases) lease.release()
  expect(new Set(rows.map((row) => row?.pid)).size).toBe(MAX)
  for (const row of rows) {
    expect(row).toMatchObject({ app: 'rockpool', tenant: '', owner: 'everybody', plans: 0, locks: 0 })
  }
  expect(
    await ask(server, `select * from pg_stat_activity where usename = '${ROLE}' and state <> 'idle'`),
  ).toEqual([])
}

/** Statements that shared a connection. */
interface Sharing {
  /** Most that were in flight on one connection. */
  most: number
  /** Sent while another was in flight there. */
  behind: number
}

/** The driver, which counts how many statements are in flight on one connection. */
function observedDriver(url: string): { driver: SqlDriver<PgClient>; sharing: Sharing } {
  const plain = pg<PgClient>(url)
  const sharing = { most: 0, behind: 0 }
  const inFlight = new WeakMap<PgClient, number>()
  const query: SqlDriver<PgClient>['query'] = (client, ...rest) => {
    const now = (inFlight.get(client) ?? 0) + 1
    inFlight.set(client, now)
    sharing.most = Math.max(sharing.most, now)
    if (now > 1) sharing.behind++
    return plain.query(client, ...rest).finally(() => inFlight.set(client, (inFlight.get(client) ?? 0) - 1))
  }
  return { driver: { ...plain, query }, sharing }
}

function tell(
  context: TestContext,
  { judge, ledger }: Mixture,
  facts: { saboteur: Saboteur; census: Census; sharing: Sharing; seconds: number },
): void {
  const { saboteur, census, sharing, seconds } = facts
  const { kills, resizes, refreshes, changes } = saboteur
  figures(context, { seed, calls: judge.settled, seconds, ...Object.fromEntries([...judge.codes].sort()) })
  figures(context, { kills, resizes, refreshes, 'table changes': changes })
  figures(context, { 'sessions at most': census.most, looks: census.looks })
  figures(context, { 'sent behind others': sharing.behind, 'in flight on one at most': sharing.most })
  figures(context, {
    'written for sure': ledger.count('there'),
    'perhaps written': ledger.count('maybe'),
    'not written': ledger.count('absent'),
  })
}
