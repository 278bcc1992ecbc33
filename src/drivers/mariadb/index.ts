export type { MysqlConfig } from '../mysql-family/config.ts'
export type { MariadbConnection, MariadbModule } from './client.ts'
export { mariadb } from './driver.ts'
