import { join } from 'node:path'
import { expect, test } from 'vitest'
import { complaintsOf } from '../compiles.ts'
import { clientOf } from './lab.ts'

test('what it gives is what the generated client takes, in its own types', async () => {
  const home = await clientOf('postgresql')
  const program = `
    import { PrismaPg } from '@prisma/adapter-pg'
    import { createPool } from 'rockpool'
    import { pg } from 'rockpool/drivers/pg'
    import { rockpoolPrisma } from 'rockpool/orm/prisma'
    import { PrismaClient } from '${join(home, 'client/index.js')}'

    const pool = createPool(pg(process.env.DATABASE_URL))
    const prisma = new PrismaClient({ adapter: rockpoolPrisma(pool) })
    export const user: { id: number } | null = await prisma.user.findFirst()
    // @ts-expect-error its types are there
    export const other: { id: string } | null = await prisma.user.findFirst()
    new PrismaClient({ adapter: rockpoolPrisma(pool, { adapter: PrismaPg, ownsPool: true }) })`
  expect(await complaintsOf(home, program)).toEqual([])
}, 240_000)
