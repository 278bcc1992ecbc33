import pgModule from 'pg'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolPrisma } from '../../../../src/orm/prisma/index.ts'
import { type Prisma, prismaFor, TABLES } from '../../prisma/lab.ts'
import type { OpenOrm, Run } from '../orm.ts'
import { play } from '../play.ts'

const { PrismaClient, PrismaPg } = await prismaFor('postgresql')

interface Found {
  readonly email: string
  readonly posts: readonly { readonly title: string }[]
}

// By the models that its other tests have generated: a user is the customer, a post an order.
function open(
  prisma: Prisma,
  waitMs: number,
  close: () => Promise<unknown> = async () => undefined,
): OpenOrm {
  // The pool's limit is to come first.
  const limits = { maxWait: waitMs * 2, timeout: 60_000 }
  return {
    async schema() {
      for (const text of TABLES.postgresql.split(';')) await prisma.$executeRawUnsafe(text)
    },
    order: (name, totals) =>
      prisma.$transaction(async (tx) => {
        const posts = { create: totals.map((total) => ({ title: String(total) })) }
        const { id } = await tx.user.create({ data: { email: name, posts } })
        return Number(id)
      }),
    async read(id) {
      const found = await prisma.user.findUnique({ where: { id }, include: { posts: true } })
      const { email, posts } = found as unknown as Found
      return { name: email, totals: posts.map(({ title }) => Number(title)) }
    },
    transaction: (work) =>
      prisma.$transaction((tx) => work(((sql) => tx.$queryRawUnsafe(sql)) as Run), limits),
    lookup: (id) => prisma.$queryRawUnsafe('select id, name, balance from accounts where id = $1', id),
    close: () => prisma.$disconnect().then(close),
  }
}

await play({
  async ours({ url, max, waitMs }) {
    const pool = createPool(pg(url, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    const adapter = rockpoolPrisma(pool, { adapter: PrismaPg })
    return open(new PrismaClient({ adapter }), waitMs, () => pool.close())
  },
  async theirs({ url, max, waitMs }) {
    const config = { connectionString: url, max, connectionTimeoutMillis: waitMs }
    return open(new PrismaClient({ adapter: new PrismaPg(config) }), waitMs)
  },
})
