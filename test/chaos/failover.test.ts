import type { Client as PgClient } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { pg } from '../../src/drivers/pg/index.ts'
import type { PoolOptions, SqlDriver, SqlPool } from '../../src/index.ts'
import type { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { FaultProxy } from '../../src/testing/fault-proxy.ts'
import { figures, Load, nothingUncaught, openPool, pause, whole } from '../support/chaos.ts'
import { ask, eventually, startPostgres } from '../support/postgres.ts'
import { startStandby } from '../support/standby.ts'

const MAX = 8

interface Watched {
  readonly driver: SqlDriver<PgClient>
  /** When the first stale answer was confirmed. */
  confirmedAt: number | undefined
  confirmations: number
  /** Statements that were started after that on connections from before. */
  startedLate: string[]
}

/** The driver for PostgreSQL, which notes what is started on connections to a server that is known to be demoted. */
function watchedDriver(url: string): Watched {
  const plain = pg<PgClient>(url)
  const connectedAt = new WeakMap<PgClient, number>()
  const note = (client: PgClient, what: string) => {
    const at = watched.confirmedAt
    if (at !== undefined && (connectedAt.get(client) ?? 0) < at) watched.startedLate.push(what)
  }
  const watched: Watched = {
    confirmedAt: undefined,
    confirmations: 0,
    startedLate: [],
    driver: {
      ...plain,
      async connect(context) {
        const client = await plain.connect(context)
        connectedAt.set(client, performance.now())
        return client
      },
      query(client, sql, ...rest) {
        // What a caller is in the middle of is his to end.
        if (plain.inTransaction?.(client) !== true) note(client, sql)
        return plain.query(client, sql, ...rest)
      },
      begin(client, options) {
        note(client, 'begin')
        return plain.begin(client, options)
      },
      async confirmStale(client) {
        const stale = (await plain.confirmStale?.(client)) === true
        if (stale) watched.confirmations++
        // When all that follows from the answer has happened.
        if (stale) process.nextTick(() => (watched.confirmedAt ??= performance.now()))
        return stale
      },
    },
  }
  return watched
}

async function primaryAndStandby() {
  const primary = await startPostgres()
  await ask(primary, 'create table t (n int)')
  const standby = await startStandby(primary)
  const proxy = await new FaultProxy(primary).listen()
  onTestFinished(() => proxy.close())
  return { primary, standby, proxy }
}

function openWatched(proxy: FaultProxy, server: EmbeddedPostgres, options: PoolOptions = {}) {
  const watched = watchedDriver(proxy.url(server.url()))
  const pool = openPool(watched.driver, { max: MAX, ...options })
  return { watched, pool }
}

/** As an administrator does it: no more writes on the old one, the new one is promoted, and the address leads there. */
async function failOver({ primary, standby, proxy }: Awaited<ReturnType<typeof primaryAndStandby>>) {
  await ask(standby, 'select pg_promote(true, 20)')
  proxy.pointTo(standby)
  await ask(primary, 'alter system set default_transaction_read_only = on')
  await ask(primary, 'select pg_reload_conf()')
}

const WAYS: Record<string, (pool: SqlPool) => Promise<unknown>> = {
  statements: (pool) => pool.query('insert into t values (1)'),
  transactions: (pool) => pool.transaction((tx) => tx.query('insert into t values (1)')),
  'leases that are used again and again': (pool) =>
    pool.use((lease) => lease.query('insert into t values (1)')),
  'transactions that swallow the error': (pool) =>
    pool.use(async (lease) => {
      await lease.begin()
      const failed = await lease.query('insert into t values (1)').catch((error) => error)
      if (failed instanceof Error) await lease.rollback()
      else await lease.commit()
      if (failed instanceof Error) throw failed
    }),
  'leases that come back in a failed transaction': (pool) =>
    pool.use(async (lease) => {
      await lease.begin()
      await lease.query('insert into t values (1)')
      await lease.commit()
    }),
}

// Each takes two servers; the quick part has the hardest to find out.
const chosen = whole ? Object.keys(WAYS) : ['transactions']

test.for(chosen)(
  'after a failover nothing is started on the old server once it is known: %s',
  async (way, context) => {
    nothingUncaught()
    const servers = await primaryAndStandby()
    const { watched, pool } = openWatched(servers.proxy, servers.primary)
    const load = new Load(() => WAYS[way]?.(pool) as Promise<unknown>, 20)
    await load.flowsAgain()
    await failOver(servers)
    const since = performance.now()
    await load.flowsAgain()
    const ms = performance.now() - since
    await pause(whole ? 200 : 2_000)
    const settled = load.failures.length
    await pause(300)
    await load.stop()
    figures(context, { failed: load.failures.length, 'stale closed': pool.stats().closed.stale })
    figures(context, { 'writes again after ms': ms, confirmations: watched.confirmations })
    expect(watched.startedLate).toEqual([])
    expect(load.failures.length).toBe(settled)
    for (const code of load.codes) expect(code).toBe('25006')
    const [row] = await ask<{ n: number }>(servers.standby, 'select count(*)::int as n from t')
    expect(row?.n).toBeGreaterThan(20)
  },
)

if (whole) {
  test('idle connections to a server that became a standby are closed after the first refused write', async () => {
    nothingUncaught()
    const servers = await primaryAndStandby()
    const { watched, pool } = openWatched(servers.proxy, servers.primary)
    const leases = await Promise.all(Array.from({ length: MAX }, () => pool.acquire()))
    for (const lease of leases) lease.release()
    await failOver(servers)
    await pause(100)
    await expect(pool.query('insert into t values (1)')).rejects.toMatchObject({ code: '25006' })
    await eventually(() => expect(watched.confirmedAt).toBeDefined())
    await Promise.all(Array.from({ length: 20 }, () => pool.query('insert into t values (2)')))
    expect(pool.stats().closed.stale).toBe(MAX)
    expect(watched.confirmations).toBe(1)
  })
}

test("a write in the user's own read-only transaction is no failover", async () => {
  nothingUncaught()
  const server = await startPostgres()
  await ask(server, 'create table t (n int)')
  const pool = openPool(server.url(), { max: 4 })
  const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()))
  for (const lease of leases) lease.release()
  const write = () =>
    pool
      .transaction((tx) => tx.query('insert into t values (1)'), { readOnly: true })
      .catch((error) => error.code)
  for (let n = 0; n < 10; n++) expect(await write()).toBe('25006')
  expect(await pool.query('set default_transaction_read_only = on').then(() => 'set')).toBe('set')
  const own = pool.use(async (lease) => {
    await lease.query('set default_transaction_read_only = on')
    return lease.query('insert into t values (1)')
  })
  await expect(own).rejects.toMatchObject({ code: '25006' })
  await pool.query('insert into t values (1)').catch(() => {})
  await pause(100)
  expect(pool.stats().closed.stale).toBe(0)
})
