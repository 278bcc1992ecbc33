export type { MysqlConfig } from '../mysql-family/config.ts'
export type { Mysql2Connection, Mysql2Module } from './core.ts'
export { mysql2 } from './driver.ts'
