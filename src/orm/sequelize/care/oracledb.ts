import type { Care } from './care.ts'
import { emitterOf, watchEnd } from './end.ts'

/** The part of an `oracledb` connection that we use. */
interface OracleConnection {
  /** From oracledb 6.3 on. */
  readonly transactionInProgress?: boolean
  ping(): Promise<void>
  rollback(): Promise<void>
  close(options: { drop: boolean }): Promise<void>
}

const oracle = (connection: object) => connection as OracleConnection

/** Connections of `oracledb`, whose server knows no statement outside a transaction. */
export const oracledbCare: Care = {
  adopt: (connection) => void emitterOf(connection)?.on('error', () => undefined),
  isAlive: (connection) => oracle(connection).ping(),
  isDirty: (connection) => oracle(connection).transactionInProgress === true,
  rollBack: (connection) => oracle(connection).rollback(),
  onLost: watchEnd,
  beforeClose: () => undefined,
  destroy: (connection) =>
    void oracle(connection)
      .close({ drop: true })
      .catch(() => undefined),
}
