import type { Driver } from '../../contract/driver.ts'
import type { OracleConnection as DrivenConnection } from '../../drivers/oracledb/client.ts'
import { Link, linkOf, links } from '../../drivers/oracledb/link.ts'
import { close, session } from '../../drivers/oracledb/session.ts'
import type { OracleConnection } from './package.ts'

/** Attributes of connections that can change while a pool runs. */
export interface OpeningChange {
  readonly accessToken?: object
  readonly stmtCacheSize?: number
}

/** Single connections of oracledb, for a pool of ours: known and cared for as by the driver of oracledb. */
export class OracleDriver implements Driver<OracleConnection> {
  readonly name = 'oracledb'
  readonly #open: (change: OpeningChange) => Promise<OracleConnection>
  readonly #perform = links.perform(session)
  #change: OpeningChange = {}

  constructor(open: (change: OpeningChange) => Promise<OracleConnection>) {
    this.#open = open
  }

  /** What connections are opened with from now on. */
  change(change: OpeningChange): void {
    this.#change = { ...this.#change, ...change }
  }

  async connect(): Promise<OracleConnection> {
    const connection = await this.#open(this.#change)
    new Link(connection as unknown as DrivenConnection)
    return connection
  }

  close(connection: OracleConnection): Promise<void> {
    return close(linkOf(connection))
  }

  readonly isAlive = this.#perform.isAlive
  readonly isDirty = this.#perform.isDirty
  readonly reset = this.#perform.reset
  readonly onLost = this.#perform.onLost

  /** Whoever waits is told of each failure: none is so final that nobody may try again. */
  classify(): 'fatal' {
    return 'fatal'
  }
}
