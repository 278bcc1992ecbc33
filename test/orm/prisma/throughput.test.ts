import pgModule from 'pg'
import { expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolPrisma } from '../../../src/orm/prisma/index.ts'
import { ask, startPostgres } from '../../support/postgres.ts'
import { ACCOUNTS, compareLookups, spread } from '../throughput.ts'
import { prismaFor } from './lab.ts'

const { PrismaClient, PrismaPg } = await prismaFor('postgresql')
const server = await startPostgres()

test('a lookup by primary key costs about what it costs on pg.Pool', async () => {
  await ask(server, ACCOUNTS)
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 10 })
  const ours = new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaPg }) })
  const theirs = new PrismaClient({ adapter: new PrismaPg({ connectionString: server.url(), max: 10 }) })
  const find = (id: number) => ({ where: { id } })
  const found = await compareLookups(
    (id) => ours.account.findUnique(find(id)),
    (id) => theirs.account.findUnique(find(id)),
  )
  process.stdout.write(`Prisma, lookups on rockpool by those on pg.Pool: ${spread(found)}\n`)
  await Promise.all([ours.$disconnect(), theirs.$disconnect(), pool.close()])
  // A loaded machine tells little more.
  expect(Math.min(...found.cpu)).toBeLessThan(1.3)
})
