import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { mariadb } from '../../../src/drivers/mariadb/index.ts'
import type { SqlPool } from '../../../src/index.ts'
import { rockpoolPrisma } from '../../../src/orm/prisma/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import type { MysqlServer } from '../../support/mysql-server.ts'
import { eventually } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'
import { errorOf, uncaughtIn } from '../support.ts'
import { PATIENT, type Prisma, prismaFor, type Statements, TABLES } from './lab.ts'

const { PrismaClient, PrismaMariaDb, Prisma: errors } = await prismaFor('mysql')

describe('Prisma on a pool of MariaDB', () => {
  needs(hasMariadb, NO_MARIADB)

  let server: MysqlServer
  let pool: SqlPool<unknown>
  let prisma: Prisma
  const open = (max: number) => {
    pool = createPool(mariadb(server.url()), { max })
    prisma = new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaMariaDb }), ...PATIENT })
  }
  const whole = () => eventually(() => expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 }))
  const idOf = async (tx: Statements) =>
    (await tx.$queryRawUnsafe<{ id: bigint }[]>('select connection_id() as id'))[0]?.id

  beforeAll(async () => {
    if (!hasMariadb) return
    server = await startMariadb()
    open(1)
    for (const table of TABLES.mysql) await pool.query(table)
    await pool.close()
  })
  afterAll(() => server?.close())

  beforeEach(() => {
    open(3)
    return async () => {
      await prisma.post.deleteMany()
      await prisma.user.deleteMany()
      await prisma.$disconnect()
      await pool.close({ drainTimeoutMs: 0 })
    }
  })

  test('writes and reads relations', async () => {
    await prisma.user.create({ data: { email: 'a', posts: { create: [{ title: 'x' }, { title: 'y' }] } } })
    const users = await prisma.user.findMany({ include: { posts: { orderBy: { id: 'asc' } } } })
    expect(users).toMatchObject([{ email: 'a', posts: [{ title: 'x' }, { title: 'y' }] }])
    await whole()
  })

  test('serves 50 transactions at once, some of which fail, each on one connection', async () => {
    const one = (n: number) =>
      prisma.$transaction(async (tx) => {
        const before = await idOf(tx)
        await tx.user.create({ data: { email: `${n}` } })
        if (n % 5 === 0) throw new Error(`no ${n}`)
        expect(await idOf(tx)).toBe(before)
      })
    const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => one(n)))
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(10)
    expect(await prisma.user.count()).toBe(40)
    await whole()
  })

  test('tells errors in the words of Prisma', async () => {
    await prisma.user.create({ data: { email: 'a' } })
    const error = await errorOf(prisma.user.create({ data: { email: 'a' } }))
    expect(error).toBeInstanceOf(errors.PrismaClientKnownRequestError)
    expect(error).toMatchObject({ code: 'P2002' })
  })

  test('a connection that dies in a transaction ends it with an error, and its place is free', async () => {
    const uncaught = await uncaughtIn(async () => {
      const work = prisma.$transaction(async (tx) => {
        await pool.query(`kill ${await idOf(tx)}`)
        await eventually(() => expect(pool.stats().closed.lost).toBe(1))
        await tx.user.count()
      })
      await expect(work).rejects.toThrow()
    })
    expect(uncaught).toEqual([])
    expect(await prisma.user.count()).toBe(0)
    await whole()
  })

  test('when no connection is free, it is P2024', async () => {
    await pool.close()
    open(1)
    expect(await prisma.user.count()).toBe(0)
    const lease = await pool.acquire()
    pool.resize({ acquireTimeoutMs: 100 })
    const error = await errorOf(prisma.user.count())
    expect(error).toBeInstanceOf(errors.PrismaClientKnownRequestError)
    expect(error).toMatchObject({ code: 'P2024', meta: { connection_limit: 1 } })
    pool.resize({ acquireTimeoutMs: 30_000 })
    lease.release()
  })

  test('$disconnect lets go of the pool, and the client may come back', async () => {
    await prisma.user.count()
    await prisma.$disconnect()
    expect(pool.closed).toBe(false)
    expect(await prisma.user.count()).toBe(0)
  })
})
