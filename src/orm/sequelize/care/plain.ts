import type { Care } from './care.ts'
import { emitterOf, watchEnd } from './end.ts'

/** Any other driver: all that we know of it is that Sequelize can run a statement on its connections. */
export function plainCare(ask: (connection: object) => Promise<unknown>): Care {
  return {
    adopt: (connection) => void emitterOf(connection)?.on('error', () => undefined),
    isAlive: (connection) => ask(connection),
    onLost: watchEnd,
    beforeClose: () => undefined,
    destroy: () => undefined,
  }
}
