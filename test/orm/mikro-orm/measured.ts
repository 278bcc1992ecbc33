import { rockpoolMikroOrm } from '../../../src/orm/mikro-orm/index.ts'
import { compareLookups, type Ratios } from '../throughput.ts'
import { Account, initOrm, type Orm, PG_URL, pgPool } from './lab.ts'

export type Measured = Ratios

const pool = pgPool({ max: 10 })
const ours = await initOrm('postgresql', rockpoolMikroOrm(pool))
const theirs = await initOrm('postgresql', { clientUrl: PG_URL, pool: { max: 10 } })
const lookup = (orm: Orm) => (id: number) => orm.em.fork().find(Account, { id })
const measured: Measured = await compareLookups(lookup(ours), lookup(theirs))
process.stdout.write(`${JSON.stringify(measured)}\n`)
await Promise.all([ours.close(), theirs.close(), pool.close()])
