export { type MikroOrmOptions, type RockpoolMikroOrmOptions, rockpoolMikroOrm } from './dialect.ts'
