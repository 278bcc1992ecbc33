export type { OdbcConnection, OdbcModule } from './client.ts'
export type { OdbcConfig } from './config.ts'
export { odbc } from './driver.ts'
export type { FamilyName } from './family.ts'
