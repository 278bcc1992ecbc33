export type { SqliteConfig } from './config.ts'
export { type SqliteConnection, type SqliteModule, sqlite } from './driver.ts'
