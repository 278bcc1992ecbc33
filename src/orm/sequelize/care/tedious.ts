import type { Care } from './care.ts'
import { emitterOf, watchEnd } from './end.ts'

/** The part of a `tedious` connection that we use. */
interface TediousConnection {
  readonly inTransaction?: boolean
  readonly state?: { readonly name?: string }
  rollbackTransaction(callback: (error?: Error | null) => void): void
  close(): void
}

const tedious = (connection: object) => connection as TediousConnection

/** Connections of `tedious`: the server tells the driver when a transaction begins and ends, whoever began it. */
export function tediousCare(ask: (connection: object) => Promise<unknown>): Care {
  return {
    adopt: (connection) => void emitterOf(connection)?.on('error', () => undefined),
    isAlive: (connection) => ask(connection),
    isDirty: (connection) => {
      const { inTransaction, state } = tedious(connection)
      return inTransaction === true || state?.name !== 'LoggedIn'
    },
    rollBack: (connection) =>
      new Promise<void>((resolve, reject) => {
        tedious(connection).rollbackTransaction((error) => (error ? reject(error) : resolve()))
      }),
    onLost: watchEnd,
    beforeClose: () => undefined,
    destroy: (connection) => tedious(connection).close(),
  }
}
