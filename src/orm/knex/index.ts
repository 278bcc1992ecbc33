export type { KnexModule } from './module.ts'
export { type RockpoolKnexConfig, type RockpoolKnexOptions, rockpoolKnex } from './rockpool-knex.ts'
export { type RockpoolClientOptions, rockpoolClient } from './settings-client.ts'
