import type { PoolEventName } from './events.ts'

/** The name of the diagnostics channel that carries an event of every pool in the process, e.g. `rockpool:connect`. */
export function channelName<E extends PoolEventName>(event: E): `rockpool:${E}` {
  return `rockpool:${event}`
}
