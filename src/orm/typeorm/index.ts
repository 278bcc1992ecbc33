export { type RockpoolTypeorm, type RockpoolTypeormOptions, rockpoolTypeorm } from './rockpool-typeorm.ts'
