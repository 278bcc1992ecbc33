import pgModule from 'pg'
import { describe } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolPrisma } from '../../../src/orm/prisma/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, onPoolOfItsOwn } from '../support.ts'
import { type AdapterFactory, PATIENT, type Prisma, prismaFor, type Statements, TABLES } from './lab.ts'

const { PrismaClient, PrismaPg, Prisma: errors } = await prismaFor('postgresql')
const server = await startPostgres()
await ask(server, TABLES.postgresql)

interface Open {
  readonly prisma: Prisma
  readonly adapters: AdapterFactory
  readonly lent: () => number
  readonly isUsedBy: (adapter: unknown) => boolean
  readonly isOpen: () => boolean
  /** A borrower beside Prisma. */
  readonly borrow: () => Promise<{ query(sql: string): Promise<unknown>; back(): void }>
}

interface Limits {
  max?: number
  waitMs?: number
  /** A pool of another copy of `pg` than Prisma's. */
  isForeign?: boolean
}

type Subject = (limits: Limits) => Open & { end(): Promise<unknown> }

const theirs: Subject = ({ max = 3, waitMs, isForeign = false }) => {
  const pool = new pgModule.Pool({ connectionString: server.url(), max, connectionTimeoutMillis: waitMs })
  pool.on('error', () => undefined)
  if (!isForeign) Object.setPrototypeOf(pool, poolOfPrisma)
  const adapters = new PrismaPg(pool, { disposeExternalPool: true })
  return {
    prisma: new PrismaClient({ adapter: adapters, ...PATIENT }),
    adapters,
    lent: () => pool.totalCount - pool.idleCount,
    isUsedBy: (adapter) => driverOf(adapter) === pool,
    isOpen: () => !pool.ended,
    async borrow() {
      const client = await pool.connect()
      return { query: (sql) => client.query(sql), back: () => client.release() }
    },
    end: async () => {
      if (!pool.ended) void pool.end()
      await ask(
        server,
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()`,
      )
    },
  }
}

const ours: Subject = ({ max = 3, waitMs }) => {
  const times = waitMs === undefined ? {} : { acquireTimeoutMs: waitMs }
  const pool = createPool(pg(server.url(), { module: pgModule }), { max, ...times })
  const adapters = rockpoolPrisma(pool, { adapter: PrismaPg })
  return {
    prisma: new PrismaClient({ adapter: adapters, ...PATIENT }),
    adapters: adapters as unknown as AdapterFactory,
    lent: () => pool.stats().leased,
    isUsedBy: (adapter) => (driverOf(adapter) as { pool?: unknown }).pool === pool,
    isOpen: () => !pool.closed,
    async borrow() {
      const lease = await pool.acquire()
      return { query: (sql) => lease.query(sql), back: () => lease.release() }
    },
    end: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

function driverOf(adapter: unknown): unknown {
  return (adapter as { underlyingDriver(): unknown }).underlyingDriver()
}

/** Prisma's own copy of `pg.Pool`. */
const poolOfPrisma: object = await (async () => {
  const adapter = await new PrismaPg({ connectionString: server.url() }).connect()
  const prototype = Object.getPrototypeOf(driverOf(adapter))
  await adapter.dispose()
  return prototype
})()

function on(
  name: string,
  run: (open: Open) => Promise<string>,
  limits: Limits = {},
): Pick<Comparison<Subject>, 'name' | 'run'> {
  const onEmptyTables = onPoolOfItsOwn<Open & { end(): Promise<unknown> }, Limits>()(name, run, limits)
  return {
    name,
    run: async (subject) => {
      await ask(server, 'truncate "User", "Post"')
      return onEmptyTables.run((given) => subject(given ?? {}))
    },
  }
}

const statement = (sql: string) => ({ sql, args: [], argTypes: [] })
const pidOf = async (tx: Statements) =>
  (await tx.$queryRawUnsafe<{ pid: number }[]>('select pg_backend_pid() as pid'))[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const isGone = (pid: unknown) =>
  eventually(async () => {
    const rows = await ask(server, 'select from pg_stat_activity where pid = $1', [pid])
    if (rows.length > 0) throw new Error('not yet')
  })
const until = (isSo: () => boolean) =>
  eventually(() => (isSo() ? true : Promise.reject(new Error('not yet'))))
const emails = async () =>
  (await ask<{ email: string }>(server, 'select email from "User"')).map((u) => u.email)
const inWords = (error: Error & { code?: string }) => {
  const isKnown: boolean = error instanceof errors.PrismaClientKnownRequestError
  return `${isKnown ? 'known' : error.name} ${error.code ?? ''}`.trim()
}

const same = [
  on('a nested write, read with its relation', async ({ prisma }) => {
    await prisma.user.create({ data: { email: 'a', posts: { create: [{ title: 'x' }, { title: 'y' }] } } })
    const [user] = await prisma.user.findMany({ include: { posts: { select: { title: true } } } })
    return JSON.stringify(user?.posts)
  }),
  on('raw values', async ({ prisma }) => {
    const [row] = await prisma.$queryRawUnsafe<Record<string, unknown>[]>(
      `select 1 as a, 2.5::numeric as b, '2020-01-01'::timestamptz as c, '{"d":1}'::jsonb as d, array[1,2] as e`,
    )
    return JSON.stringify(row)
  }),
  on('a unique value twice', async ({ prisma }) => {
    await prisma.user.create({ data: { email: 'a' } })
    return inWords(await errorOf(prisma.user.create({ data: { email: 'a' } })))
  }),
  on('a foreign key to nothing', async ({ prisma }) =>
    inWords(await errorOf(prisma.post.create({ data: { title: 'x', authorId: -1 } }))),
  ),
  on('an error in a raw query', async ({ prisma }) =>
    inWords(await errorOf(prisma.$queryRawUnsafe('select 1/0'))),
  ),
  on('a batch, of which one fails', async ({ prisma }) => {
    const twice = [1, 2].map(() => prisma.user.create({ data: { email: 'same' } }))
    return `${inWords(await errorOf(prisma.$transaction(twice)))}; ${await prisma.user.count()} rows`
  }),
  on('20 transactions at once on 3 connections', async ({ prisma }) => {
    const one = () =>
      prisma.$transaction(async (tx) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(tx))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('the body of a transaction throws', async ({ prisma }) => {
    const { message } = await errorOf(
      prisma.$transaction(async (tx) => {
        await tx.user.create({ data: { email: 'body' } })
        throw new Error('its error')
      }),
    )
    return `${message}; ${(await emails()).length} rows`
  }),
  on('COMMIT that fails: a deferred constraint', async ({ prisma, lent }) => {
    const { name } = await errorOf(
      prisma.$transaction(async (tx) => {
        await tx.$executeRawUnsafe('set constraints all deferred')
        await tx.post.create({ data: { title: 'x', authorId: -1 } })
      }),
    )
    await until(() => lent() === 0)
    return `${name}; ${lent()} lent`
  }),
  on('isolation level', async ({ prisma }) => {
    const [row] = await prisma.$transaction(
      (tx) => tx.$queryRawUnsafe<{ i: string }[]>(`select current_setting('transaction_isolation') as i`),
      { isolationLevel: 'Serializable' },
    )
    return row?.i ?? ''
  }),
  on(
    '`maxWait` is over, then a connection is free',
    async ({ prisma, borrow, lent }) => {
      const held = await borrow()
      const error = await errorOf(prisma.$transaction(async () => 0, { maxWait: 50 }))
      held.back()
      await until(() => lent() === 0)
      return `${inWords(error)}; ${lent()} lent`
    },
    { max: 1 },
  ),
  on('`timeout` is over', async ({ prisma, lent }) => {
    const error = await errorOf(
      prisma.$transaction(
        async (tx) => {
          await tx.user.create({ data: { email: 'late' } })
          await tx.$queryRawUnsafe('select pg_sleep(0.4)::text')
          await tx.user.count()
        },
        { timeout: 100 },
      ),
    )
    await until(() => lent() === 0)
    return `${inWords(error)}; ${(await emails()).length} rows`
  }),
  on('a statement on a connection that dies', async ({ prisma }) => {
    const slow = errorOf(prisma.$queryRawUnsafe(`select 'dies', pg_sleep(20)::text`))
    const [{ pid } = {}] = await eventually(async () => {
      const rows = await ask(server, `select pid from pg_stat_activity where query like 'select ''dies''%'`)
      return rows.length > 0 ? rows : Promise.reject(new Error('not yet'))
    })
    await kill(pid)
    return inWords(await slow)
  }),
].map((behaviour) => ({ ...behaviour, verdict: 'same' as const }))

const better: Comparison<Subject>[] = [
  {
    ...on(
      "a pool of another copy of `pg` than Prisma's",
      async ({ adapters, isUsedBy }) => {
        const adapter = await adapters.connect()
        const told = isUsedBy(adapter) ? 'is used' : 'is taken for a config: a pool of its own is opened'
        await adapter.dispose()
        return told
      },
      { isForeign: true },
    ),
    verdict: 'better',
    reason: 'and should a version of the adapter not use it, the first query throws `PoolBypassedError`',
  },
  {
    ...on(
      'no connection is free, for a query',
      async ({ prisma, borrow }) => {
        const held = await borrow()
        const error = await errorOf(prisma.user.count())
        held.back()
        return `${inWords(error)}${error.message.includes('1 leased') ? ', and how many are leased and wait' : ''}`
      },
      { max: 1, waitMs: 2_500 },
    ),
    verdict: 'better',
    reason: 'the code by which Prisma has always told it; and by default nobody waits for ever',
  },
  {
    ...on(
      'no connection is free, for a transaction',
      async ({ prisma, borrow }) => {
        const held = await borrow()
        const error = await errorOf(prisma.$transaction(async () => 0))
        held.back()
        return `${error.code ?? error.message}`
      },
      { max: 1, waitMs: 2_500 },
    ),
    verdict: 'better',
    reason: 'the same code; where `maxWait` ends first, it is P2028 as ever',
  },
  {
    ...on(
      'a transaction comes back without ROLLBACK',
      async ({ adapters }) => {
        const adapter = await adapters.connect()
        const tx = await adapter.startTransaction()
        await tx.rollback()
        await adapter.executeRaw(statement(`insert into "User" (email) values ('next')`))
        const kept = await emails()
        await adapter.dispose()
        return kept.length === 1 ? 'rolled back; the next write is committed' : 'the next write is in it'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip (prisma/orm#29719)',
  },
  {
    ...on(
      'a transaction is ended twice',
      async ({ adapters, borrow }) => {
        const adapter = await adapters.connect()
        const tx = await adapter.startTransaction()
        await tx.executeRaw(statement('commit'))
        await tx.commit()
        const next = await borrow()
        await tx.rollback()
        const told = await Promise.resolve()
          .then(() => next.back())
          .then(
            () => 'nothing happens',
            () => 'the second end takes the connection from the next borrower',
          )
        await adapter.dispose()
        return told
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'the second end is none (prisma/orm#29952)',
  },
  {
    ...on(
      'a late ROLLBACK of an ended transaction',
      async ({ adapters, borrow }) => {
        const adapter = await adapters.connect()
        const tx = await adapter.startTransaction()
        await tx.executeRaw(statement('commit'))
        await tx.commit()
        const next = await borrow()
        await next.query('begin')
        await next.query(`insert into "User" (email) values ('next')`)
        await tx.executeRaw(statement('rollback')).catch(() => 0)
        await next.query('commit')
        next.back()
        await adapter.dispose()
        return (await emails()).length === 1 ? 'is refused' : 'rolls the next borrower back'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'what a borrower was given ends with his borrowing',
  },
  {
    ...on('the backend dies in a transaction', async ({ prisma, lent }) => {
      let during = -1
      await errorOf(
        prisma.$transaction(async (tx) => {
          const pid = await pidOf(tx)
          await kill(pid)
          await isGone(pid)
          await errorOf(tx.user.count())
          during = lent()
        }),
      )
      return `its place is ${during === 0 ? 'free at once' : 'taken until the end'}`
    }),
    verdict: 'better',
    reason: 'the next gets it, and no `uncaughtException` on either side',
  },
]

const different: Comparison<Subject>[] = [
  {
    ...on('`$disconnect()`, with `disposeExternalPool`', async ({ prisma, isOpen }) => {
      await prisma.user.count()
      await prisma.$disconnect()
      return isOpen() ? 'lets go of the pool' : 'ends the pool'
    }),
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
]

describe('Prisma on pg.Pool and on rockpool', () => {
  const sides = { original: 'Prisma 7.10 on pg.Pool', theirs: async () => theirs, ours: async () => ours }
  compare('docs/orm/prisma.md', sides, [...same, ...better, ...different])
})
