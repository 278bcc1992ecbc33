import pgModule from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import type { PoolOptions, SqlPool } from '../../../src/index.ts'
import { type RockpoolPrismaOptions, rockpoolPrisma } from '../../../src/orm/prisma/index.ts'
import { ask, connectionCount, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, nextLent, uncaughtIn } from '../support.ts'
import { type AdapterFactory, PATIENT, type Prisma, prismaFor, type Statements, TABLES } from './lab.ts'

const { PrismaClient, PrismaPg, Prisma: errors } = await prismaFor('postgresql')
const server = await startPostgres()
await ask(server, TABLES.postgresql)

let pool: SqlPool<pgModule.Client>
let prisma: Prisma

function open(limits: PoolOptions<pgModule.Client> = {}, options: RockpoolPrismaOptions = {}): void {
  pool = createPool(pg(server.url(), { module: pgModule }), { max: 3, ...limits })
  prisma = new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaPg, ...options }), ...PATIENT })
}

/** What Prisma's client works with, without the client. */
function adapters(): AdapterFactory {
  return rockpoolPrisma(pool, { adapter: PrismaPg }) as unknown as AdapterFactory
}

beforeEach(async () => {
  await ask(server, 'truncate "User", "Post", "Value"')
  open()
})
afterEach(async () => {
  await prisma.$disconnect()
  await pool.close({ drainTimeoutMs: 0 })
})

const pidOf = async (on: Statements) =>
  (await on.$queryRawUnsafe<{ pid: number }[]>('select pg_backend_pid() as pid'))[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const whole = () => eventually(() => expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 }))

describe('Prisma on a pool', () => {
  test('writes and reads relations', async () => {
    const data = { email: 'ada@b.c', posts: { create: [{ title: 'one' }, { title: 'two' }] } }
    await prisma.user.create({ data })
    const users = await prisma.user.findMany({ include: { posts: { orderBy: { id: 'asc' } } } })
    expect(users).toMatchObject([{ email: 'ada@b.c', posts: [{ title: 'one' }, { title: 'two' }] }])
    await whole()
  })

  test('gives values their types', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z')
    const value = { id: 1, big: 2n ** 60n, at, doc: { a: [1] }, bytes: Uint8Array.of(1, 2), numbers: [1, 2] }
    await prisma.value.create({ data: { ...value, price: '12.50' } })
    const found = await prisma.value.findUnique({ where: { id: 1 } })
    expect(found).toMatchObject(value)
    expect(String(found?.price)).toBe('12.5')
  })

  test('uses connections of the pool alone', async () => {
    await Promise.all(Array.from({ length: 10 }, () => prisma.user.count()))
    // Some may be on their way yet, and those of the test before on theirs out.
    await eventually(async () => expect(await connectionCount(server)).toBe(pool.stats().total))
  })

  test('serves 50 transactions at once, some of which fail, each on one connection', async () => {
    const one = (n: number) =>
      prisma.$transaction(async (tx) => {
        const before = await pidOf(tx)
        await tx.user.create({ data: { email: `${n}@b.c` } })
        if (n % 5 === 0) throw new Error(`no ${n}`)
        if (n % 7 === 0) await tx.$queryRawUnsafe('select 1/0')
        expect(await pidOf(tx)).toBe(before)
      })
    const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => one(n)))
    const failed = ends.filter(({ status }) => status === 'rejected').length
    expect(failed).toBe(10 + 6)
    expect(await prisma.user.count()).toBe(50 - failed)
    await whole()
  })

  test('runs a batch in one transaction', async () => {
    const twice = [1, 2].map(() => prisma.user.create({ data: { email: 'same@b.c' } }))
    await expect(prisma.$transaction(twice)).rejects.toMatchObject({ code: 'P2002' })
    expect(await prisma.user.count()).toBe(0)
    await whole()
  })

  test('tells errors in the words of Prisma', async () => {
    await prisma.user.create({ data: { email: 'a@b.c' } })
    const error = await errorOf(prisma.user.create({ data: { email: 'a@b.c' } }))
    expect(error).toBeInstanceOf(errors.PrismaClientKnownRequestError)
    expect(error).toMatchObject({ code: 'P2002', meta: { modelName: 'User' } })
  })

  test('a COMMIT that fails is an error, and the pool is whole', async () => {
    const error = await errorOf(
      prisma.$transaction(async (tx) => {
        await tx.$executeRawUnsafe('set constraints all deferred')
        await tx.post.create({ data: { title: 'lost', authorId: -1 } })
      }),
    )
    expect(error).toMatchObject({ cause: { kind: 'ForeignKeyConstraintViolation' } })
    await whole()
  })

  test('a BEGIN that fails gives its connection back', async () => {
    const pids = new Set<unknown>()
    await Promise.all([1, 2, 3].map(() => prisma.$transaction(async (tx) => pids.add(await pidOf(tx)))))
    for (const pid of pids) await kill(pid)
    await eventually(() => prisma.$transaction(async (tx) => tx.user.count()))
    await whole()
  })
})

describe('a connection that dies', () => {
  test('in a transaction ends it with an error, not the process, and frees its place', async () => {
    open({ max: 1 })
    const uncaught = await uncaughtIn(async () => {
      const work = prisma.$transaction(async (tx) => {
        await kill(await pidOf(tx))
        await eventually(() => expect(pool.stats().closed.lost).toBe(1))
        await tx.user.count()
      })
      await expect(work).rejects.toThrow()
    })
    expect(uncaught).toEqual([])
    expect(await prisma.user.count()).toBe(0)
    await whole()
  })

  test('under a statement is that statement error', async () => {
    const slow = errorOf(prisma.$queryRawUnsafe("select 'slow', pg_sleep(20)::text"))
    const [{ pid } = {}] = await eventually(async () => {
      const rows = await ask(server, `select pid from pg_stat_activity where query like 'select ''slow''%'`)
      expect(rows).toHaveLength(1)
      return rows
    })
    await kill(pid)
    expect(await slow).toMatchObject({ code: 'P2010' })
    await whole()
  })
})

describe('when no connection is free', () => {
  beforeEach(() => open({ max: 1 }))

  test('a query fails with P2024, which says what the pool looks like', async () => {
    const lease = await pool.acquire()
    pool.resize({ acquireTimeoutMs: 100 })
    const error = await errorOf(prisma.user.count())
    expect(error).toBeInstanceOf(errors.PrismaClientKnownRequestError)
    expect(error).toMatchObject({ code: 'P2024', meta: { connection_limit: 1 } })
    expect(error.message).toMatch(/1 leased, 0 idle/)
    pool.resize({ acquireTimeoutMs: 30_000 })
    lease.release()
    expect(await prisma.user.count()).toBe(0)
  })

  test('so does a transaction', async () => {
    const lease = await pool.acquire()
    pool.resize({ acquireTimeoutMs: 100 })
    const late = prisma.$transaction(async (tx) => tx.user.count())
    expect(await errorOf(late)).toMatchObject({ code: 'P2024' })
    lease.release()
  })

  test('a transaction that nobody waits for any more gives back what it gets', async () => {
    const lease = await pool.acquire()
    const late = prisma.$transaction(async (tx) => tx.user.count(), { maxWait: 50 })
    expect(await errorOf(late)).toMatchObject({ code: 'P2028' })
    lease.release()
    await whole()
    expect(await prisma.user.count()).toBe(0)
  })
})

describe('a transaction that is ended badly', () => {
  beforeEach(() => open({ max: 1 }))

  const statement = (sql: string) => ({ sql, args: [], argTypes: [] })

  test('leaves nothing open on its connection', async () => {
    const adapter = await adapters().connect()
    const tx = await adapter.startTransaction()
    await tx.executeRaw(statement(`insert into "User" (email) values ('lost')`))
    await tx.rollback()
    await adapter.executeRaw(statement(`insert into "User" (email) values ('kept')`))
    expect(await ask(server, 'select email from "User"')).toEqual([{ email: 'kept' }])
    await adapter.dispose()
  })

  test('twice, while COMMIT runs, does not touch the next borrower', async () => {
    const adapter = await adapters().connect()
    const tx = await adapter.startTransaction()
    const committed = tx.executeRaw(statement('commit')).then(() => tx.commit())
    const given = errorOf(committed.then(() => tx.executeRaw(statement('rollback'))))
    await committed
    const lease = await pool.acquire()
    await lease.query('begin')
    await lease.query(`insert into "User" (email) values ('next')`)
    expect((await given).message).toMatch(/after client.release/)
    expect(await uncaughtIn(() => tx.rollback())).toEqual([])
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 })
    await lease.query('commit')
    lease.release()
    expect(await ask(server, 'select email from "User"')).toEqual([{ email: 'next' }])
    await adapter.dispose()
  })

  test('with its ROLLBACK still under way, is waited for', async () => {
    const adapter = await adapters().connect()
    const tx = await adapter.startTransaction()
    const slow = tx.executeRaw(statement('select pg_sleep(0.2)'))
    const rollback = tx.executeRaw(statement('rollback')).catch(() => 0)
    await tx.commit()
    const lease = await pool.acquire()
    expect((await lease.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    lease.release()
    await Promise.allSettled([slow, rollback])
    await adapter.dispose()
  })

  test('by its time limit is rolled back, and the pool is whole', async () => {
    const late = prisma.$transaction(
      async (tx) => {
        await tx.user.create({ data: { email: 'late' } })
        await tx.$queryRawUnsafe('select pg_sleep(0.3)::text')
        await tx.user.count()
      },
      { timeout: 100 },
    )
    expect(await errorOf(late)).toMatchObject({ code: 'P2028' })
    await whole()
    expect(await prisma.user.count()).toBe(0)
  })
})

describe('shutdown', () => {
  test('$disconnect lets go of the pool, waits for what runs, and the client may come back', async () => {
    await prisma.user.count()
    const lent = nextLent(pool)
    const slow = prisma.$queryRawUnsafe('select pg_sleep(0.1)::text').then(() => 'done')
    await lent
    await prisma.$disconnect()
    expect(pool.closed).toBe(false)
    expect(await slow).toBe('done')
    expect(await prisma.user.count()).toBe(0)
  })

  test('with ownsPool it closes the pool, and says so afterwards', async () => {
    open({}, { ownsPool: true })
    await prisma.user.count()
    await prisma.$disconnect()
    expect(pool.closed).toBe(true)
    expect(await errorOf(prisma.user.count())).toMatchObject({ code: 'POOL_CLOSED' })
  })

  test('one pool serves two clients', async () => {
    const other: Prisma = new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaPg }) })
    await other.user.create({ data: { email: 'a@b.c' } })
    await other.$disconnect()
    expect(await prisma.user.count()).toBe(1)
  })

  test('a query on a closed pool says so', async () => {
    await pool.close()
    expect(await errorOf(prisma.user.count())).toMatchObject({ code: 'POOL_CLOSED' })
  })
})

describe('the adapter itself', () => {
  test('gets its own options', async () => {
    await ask(server, 'create schema if not exists aside; create table aside."User" (like "User")')
    await ask(server, `insert into aside."User" values (1, 'aside')`)
    open({}, { adapterOptions: { schema: 'aside' } })
    expect(await prisma.user.findMany()).toMatchObject([{ email: 'aside' }])
  })

  test('that opens a pool of its own is found out at once', async () => {
    class Stray {
      async connect() {
        return { underlyingDriver: () => ({}), dispose: async () => undefined }
      }
    }
    open({}, { adapter: Stray })
    expect(await errorOf(prisma.user.count())).toMatchObject({ code: 'POOL_BYPASSED', message: /Prisma/ })
  })
})

describe('a server that refuses', () => {
  test('has the codes of Prisma', async () => {
    const wrong = new URL(server.url())
    wrong.pathname = '/nowhere'
    pool = createPool(pg(wrong.href, { module: pgModule }), { max: 1 })
    prisma = new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaPg }) })
    expect(await errorOf(prisma.user.count())).toMatchObject({ code: 'P1003' })
  })

  test('or is not there', async () => {
    pool = createPool(pg('postgres://nobody@127.0.0.1:1/none', { module: pgModule }), {
      acquireTimeoutMs: 2_500,
    })
    prisma = new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaPg }) })
    expect(await errorOf(prisma.user.count())).toMatchObject({ code: 'P1001' })
  })
})
