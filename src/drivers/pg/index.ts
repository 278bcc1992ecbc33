export type { PgClient, PgModule } from './client.ts'
export type { PgConfig } from './config.ts'
export { pg } from './driver.ts'
