import { PgPool } from './pg-pool.ts'

export type { AroundOptions } from './around.ts'
export { pgPool } from './around.ts'
export type { Identity } from './checkout.ts'
export { PgPool, PgPool as Pool } from './pg-pool.ts'
export type { ClientLikeCtr, Config, PgPoolClient, PgPoolOptions, PgQueryResult } from './types.ts'
export default PgPool
