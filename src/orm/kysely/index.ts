export { type RockpoolDialectOptions, rockpoolDialect } from './dialect.ts'
export type { ConnectionHook } from './driver.ts'
export type { KyselyModule } from './module.ts'
