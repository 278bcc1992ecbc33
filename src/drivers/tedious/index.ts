export type { TediousConnection, TediousModule } from './client.ts'
export type { TediousConfig } from './config.ts'
export { tedious } from './driver.ts'
export type { TypedValue } from './parameters.ts'
