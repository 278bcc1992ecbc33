export {
  type AnySequelize,
  poolsOf,
  rockpoolSequelize,
  type SequelizePools,
} from './attachment.ts'
export type { SequelizePoolOptions, SharedPoolOptions } from './pool-options.ts'
