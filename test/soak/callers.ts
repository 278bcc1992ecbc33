import assert from 'node:assert/strict'
import type { SqlLease, SqlPool } from '../../src/index.ts'
import type { Random } from '../../src/testing/random.ts'

/** What the calls have come to. */
export interface Tally {
  calls: number
  succeeded: number
  /** How often calls failed, by code: all of these are to be expected under faults. */
  readonly failed: Map<string, number>
  /** Rows that the server has acknowledged, and those of which nobody knows. */
  acknowledged: number
  unknown: number
  readonly violations: string[]
}

/** Every way to use a pool. Each throws what it is told, and asserts what must hold whatever happens. */
type Way = (pool: SqlPool, random: Random, tally: Tally) => Promise<unknown>

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Asks for a number of one's own: an answer meant for somebody else would show. */
async function own(where: Pick<SqlPool, 'query'>, random: Random, options = {}): Promise<void> {
  const n = random.integer(0, 1_000_000)
  const { rows } = await where.query<{ n: number }>('select $1::int as n', [n], options)
  assert.equal(rows[0]?.n, n, 'an answer that was meant for somebody else')
}

const insert = (where: Pick<SqlPool, 'query'>) => where.query('insert into soak values (1)')

/** Counts a row as the server's answer to its COMMIT tells. */
async function counted(tally: Tally, work: Promise<unknown>): Promise<void> {
  try {
    await work
    tally.acknowledged++
  } catch (error) {
    const { code, executed } = error as { code?: string; executed?: string }
    if (code === 'COMMIT_UNKNOWN' || executed === 'unknown') tally.unknown++
    throw error
  }
}

const WAYS: Record<string, Way> = {
  query: (pool, random) => own(pool, random),
  'idempotent query': (pool, random) => own(pool, random, { idempotent: true }),
  'unprepared query': (pool, random) => own(pool, random, { prepare: false }),
  'query with a time limit': (pool, random) => own(pool, random, { timeoutMs: random.integer(1, 300) }),
  'slow query with a time limit': (pool, random) =>
    pool.query('select pg_sleep(0.05)', [], { timeoutMs: random.integer(1, 100) }),
  'query that is aborted': (pool, random) =>
    pool.query('select pg_sleep(0.03)', [], { signal: AbortSignal.timeout(random.integer(0, 60)) }),
  'query that fails': (pool) => pool.query('select 1/0'),
  write: (pool, _, tally) => counted(tally, insert(pool)),
  use: (pool, random) =>
    pool.use(async (lease) => {
      await own(lease, random)
      await pause(random.integer(0, 5))
      await own(lease, random)
    }),
  'acquire with a deadline': async (pool, random) => {
    const lease = await pool.acquire({ timeoutMs: random.integer(0, 200), priority: random.integer(0, 2) })
    await held(lease, () => own(lease, random))
  },
  'acquire that is aborted': async (pool, random) => {
    const lease = await pool.acquire({ signal: AbortSignal.timeout(random.integer(0, 30)) })
    await held(lease, () => own(lease, random))
  },
  'acquire with affinity': async (pool, random) => {
    const lease = await pool.acquire({ affinity: random.integer(0, 3) })
    await held(lease, () => own(lease, random))
  },
  'acquire with a key': async (pool, random) => {
    const key = random.integer(0, 1)
    const lease = await pool.acquire({ key })
    await held(lease, async () => {
      const joined = await pool.acquire({ key })
      await held(joined, () => own(joined, random))
    })
  },
  'try to acquire': async (pool, random) => {
    const lease = pool.tryAcquire()
    if (lease !== undefined) await held(lease, () => own(lease, random))
  },
  transaction: (pool, random, tally) =>
    counted(
      tally,
      pool.transaction(
        async (tx) => {
          await insert(tx)
          if (random.chance(0.3)) await tx.transaction((inner) => own(inner, random))
        },
        { retries: random.integer(0, 2) },
      ),
    ),
  'transaction that is rolled back': async (pool) => {
    const changedMind = new Error('changed my mind')
    const work = pool.transaction(async (tx) => {
      await insert(tx)
      throw changedMind
    })
    await work.catch((error) => {
      if (error !== changedMind) throw error
    })
  },
  'transaction that is left open': (pool) =>
    pool.use(async (lease) => {
      await lease.begin()
      await insert(lease)
    }),
  'statement in flight at release': async (pool) => {
    const lease = await pool.acquire()
    const running = lease.query('select pg_sleep(0.01)')
    lease.release()
    await running
  },
  stream: async (pool, random) => {
    const most = random.integer(0, 400)
    let next = 1
    for await (const row of pool.stream<{ n: number }>('select generate_series(1, 300) as n', [], {
      batch: 50,
    })) {
      assert.equal(row.n, next++, 'a row of a stream is missing')
      if (next > most) break
    }
  },
  session: async (pool, random) => {
    const session = pool.session()
    try {
      await own(session, random)
      await session.transaction((tx) => own(tx, random))
    } finally {
      await session.close()
    }
  },
  'late use of a lease': async (pool) => {
    const lease = await pool.acquire()
    lease.release()
    assert.throws(() => lease.release(), { code: 'LEASE_RELEASED' })
    await assert.rejects(lease.query('select 1'), { code: 'LEASE_RELEASED' })
  },
  'destroy a lease': async (pool, random) => {
    const lease = await pool.acquire()
    if (random.chance(0.5)) lease.retire()
    else return lease.destroy(new Error('destroyed by its caller'))
    lease.release()
  },
  'change the session': (pool, random) => pool.query(`set application_name = 'soak ${random.integer(0, 9)}'`),
}

async function held(lease: SqlLease<unknown>, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } finally {
    lease.release()
  }
}

/** What may befall a caller under faults; anything else is a violation. */
const EXPECTED = new Set([
  'ACQUIRE_TIMEOUT',
  'QUERY_TIMEOUT',
  'CONNECTION_LOST',
  'COMMIT_UNKNOWN',
  'TRANSACTION_ABORTED',
  'CONNECT_FAILED',
  'TimeoutError',
  '22012', // our own division by zero
  '57014', // somebody cancels all statements
])

/** After this time a call hangs: all deadlines and outages are shorter. */
const HANGS_MS = 40_000

/** One caller after the other, in one random way after the other, until told to stop. */
export async function call(
  pool: SqlPool,
  { random, tally, isOn }: { random: Random; tally: Tally; isOn: () => Promise<boolean> },
): Promise<void> {
  const names = Object.keys(WAYS)
  while (await isOn()) {
    const name = random.pick(names)
    const hangs = setTimeout(() => tally.violations.push(`${name}: no end after ${HANGS_MS} ms`), HANGS_MS)
    tally.calls++
    try {
      await WAYS[name]?.(pool, random, tally)
      tally.succeeded++
    } catch (error) {
      const { name: kind, code } = error as { name?: string; code?: unknown }
      const what = kind === 'TimeoutError' ? kind : String(code ?? kind)
      tally.failed.set(what, (tally.failed.get(what) ?? 0) + 1)
      if (!EXPECTED.has(what))
        tally.violations.push(`${name}: ${error instanceof Error ? error.stack : String(error)}`)
      await pause(1)
    }
    clearTimeout(hangs)
    if (random.chance(0.05)) await pause(random.integer(0, 20))
  }
}
