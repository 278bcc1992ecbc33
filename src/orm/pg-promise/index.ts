export { type RockpoolPgPromiseOptions, rockpoolPgPromise } from './rockpool-pg-promise.ts'
