import { expect, test } from 'vitest'
import { complaintsOf } from '../compiles.ts'
import { homeOfMikroOrm } from './newer-node.ts'

test('what it gives is what MikroORM takes, in its own types', async () => {
  const program = `
    import { defineEntity, MikroORM, p } from '@mikro-orm/postgresql'
    import { createPool } from 'rockpool'
    import { pg } from 'rockpool/drivers/pg'
    import { rockpoolMikroOrm } from 'rockpool/orm/mikro-orm'

    const User = defineEntity({ name: 'User', properties: { id: p.integer().primary(), name: p.string() } })
    const pool = createPool(pg(process.env.DATABASE_URL))
    const orm = await MikroORM.init({ entities: [User], dbName: 'shop', ...rockpoolMikroOrm(pool) })
    export const user: { id: number } | null = await orm.em.fork().findOne(User, { name: 'Ada' })
    // @ts-expect-error its types are there
    export const other: { id: string } | null = await orm.em.fork().findOne(User, { name: 'Ada' })`
  expect(await complaintsOf(await homeOfMikroOrm(), program)).toEqual([])
}, 240_000)
