import type { Driver } from '../../contract/driver.ts'
import type { OracleConnection } from './package.ts'

/** What of a connection is known without asking the server; older versions do not have it. */
type Told = OracleConnection & { transactionInProgress?: boolean; isHealthy?: () => boolean }

/** Single connections of oracledb, for a pool of ours. */
export class OracleDriver implements Driver<OracleConnection> {
  readonly name = 'oracledb'
  /** What connections are opened with from now on. */
  accessToken: object | undefined = undefined
  readonly #open: () => Promise<OracleConnection>
  /** Rolled back, and not lent since: where the driver cannot say whether a transaction is open. */
  readonly #rolledBack = new WeakSet<OracleConnection>()

  constructor(open: () => Promise<OracleConnection>) {
    this.#open = open
  }

  connect(): Promise<OracleConnection> {
    return this.#open()
  }

  close(connection: OracleConnection): Promise<void> {
    return connection.close()
  }

  async isAlive(connection: OracleConnection): Promise<boolean> {
    if ((connection as Told).isHealthy?.() === false) return false
    await connection.ping()
    return true
  }

  isDirty(connection: OracleConnection): boolean {
    return (connection as Told).transactionInProgress ?? !this.#rolledBack.has(connection)
  }

  async reset(connection: OracleConnection): Promise<void> {
    await connection.rollback()
    this.#rolledBack.add(connection)
  }

  /** Its borrower may begin a transaction from now on. */
  lent(connection: OracleConnection): void {
    this.#rolledBack.delete(connection)
  }
}
