export type { PrismaAdapterClass } from './adapter-class.ts'
export { type PrismaAdapterFactory, type RockpoolPrismaOptions, rockpoolPrisma } from './factory.ts'
