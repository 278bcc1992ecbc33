export type { DriverConfiguration, TypeParser } from './configuration.ts'
export {
  type RockpoolDriverFactoryOptions,
  rockpoolDriverFactory,
  type SlonikDriver,
} from './driver-factory.ts'
export type { SlonikClient, SlonikClientState } from './seat.ts'
