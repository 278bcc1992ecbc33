import { innerOf, type MariadbConnection } from '../../../drivers/mariadb/client.ts'
import { MariadbSpeaker } from '../../../drivers/mariadb/speaker.ts'
import { classify } from '../../../drivers/mysql-family/errors.ts'
import { Link, linkOf } from '../../../drivers/mysql-family/link.ts'
import { session } from '../../../drivers/mysql-family/session.ts'
import type { Speaker } from '../../../drivers/mysql-family/speaker.ts'
import { adopt } from '../../../drivers/mysql-family/wire.ts'
import type { Core } from '../../../drivers/mysql2/core.ts'
import { Mysql2Speaker } from '../../../drivers/mysql2/speaker.ts'
import type { Care } from './care.ts'

/** A goodbye would wait for the statement in flight; for how long, nobody knows. */
const BUSY_LIMIT_MS = 1_000

/** Connections of `mysql2`: what the server says of the transaction is read from its packets. */
export const mysql2Care: Care = familyCare(
  (connection) => new Mysql2Speaker(connection as Core, { lacksReset: false }),
)

/** Connections of `mariadb`. */
export const mariadbCare: Care = familyCare((connection) => {
  const known = connection as MariadbConnection
  return new MariadbSpeaker(known, innerOf(known))
})

function familyCare(speakerOf: (connection: object) => Speaker): Care {
  return {
    async adopt(connection) {
      const speaker = speakerOf(connection)
      new Link(connection, speaker, adopt(speaker.stream))
      // Its answer is the first that we hear, and says that no transaction is open.
      await speaker.ping()
    },
    isAlive: (connection, signal) => session.isAlive(linkOf(connection), signal),
    isDirty: (connection) => session.isDirty(linkOf(connection)),
    rollBack: (connection) => session.reset(linkOf(connection), 'rollback'),
    onLost: (connection, lost) => linkOf(connection).onLost(lost),
    async beforeClose(connection) {
      const link = linkOf(connection)
      link.markClosing()
      if (!link.isBusy || link.isOver) return
      const timer = setTimeout(() => link.destroy(), BUSY_LIMIT_MS)
      await Promise.race([link.wire.closed, link.quiet().catch(() => undefined)])
      clearTimeout(timer)
    },
    destroy: (connection) => linkOf(connection).destroy(),
    classify: (error) => classify(error, 'connect'),
    ref: (connection) => linkOf(connection).ref(),
    unref: (connection) => linkOf(connection).unref(),
  }
}
