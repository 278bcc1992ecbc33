export type { MariadbPoolOptions } from './mariadb-pool.ts'
export { mariadbPool } from './mariadb-pool.ts'
