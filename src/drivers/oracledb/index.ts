export type { OracleConnection, OracleModule } from './client.ts'
export type { Drcp, OracleConfig } from './config.ts'
export { oracledb } from './driver.ts'
export { type TagChange, tagChange } from './tags.ts'
