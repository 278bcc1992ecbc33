export { type DrizzleClient, type RockpoolDrizzleOptions, rockpoolDrizzle } from './rockpool-drizzle.ts'
