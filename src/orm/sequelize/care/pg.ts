import type { PgClient, TransactionStatus } from '../../../drivers/pg/client.ts'
import { close } from '../../../drivers/pg/close.ts'
import { classify } from '../../../drivers/pg/errors.ts'
import { Link, linkOf } from '../../../drivers/pg/link.ts'
import { isAlive, isDirty, reset } from '../../../drivers/pg/session.ts'
import type { Care } from './care.ts'

/** From pg 8.21 on the client tells it itself. */
type TellingClient = PgClient & { getTransactionStatus?(): TransactionStatus | null }

const client = (connection: object) => connection as PgClient

/** Clients of `pg`: what the server says of the transaction is read from the protocol. */
export const pgCare: Care = {
  adopt(connection) {
    const link = new Link(client(connection))
    // Whatever told of it before has passed unheard: Sequelize prepares a session by statements outside a transaction.
    link.status = (connection as TellingClient).getTransactionStatus?.() ?? 'I'
  },
  isAlive: (connection, signal) => isAlive(client(connection), signal),
  isDirty: (connection) => isDirty(client(connection)),
  rollBack: (connection) => reset(client(connection), 'rollback'),
  onLost: (connection, lost) => linkOf(client(connection)).onLost(lost),
  async beforeClose(connection) {
    const link = linkOf(client(connection))
    // The server would go on with a statement whose client has just vanished.
    if (link.mayRun) await close(client(connection))
    else link.markClosing()
  },
  destroy: (connection) => linkOf(client(connection)).destroy(),
  classify: (error) => classify(error, 'connect'),
  ref: (connection) => client(connection).ref(),
  unref: (connection) => client(connection).unref(),
}
