import type { SqlDriver } from '../../contract/sql-driver.ts'
import type { FakeConnection } from '../fake-connection.ts'
import { FakeError } from '../fake-error.ts'
import type { Law } from './law.ts'
import type { Ledger } from './ledger.ts'
import type { Socket } from './socket.ts'
import type { Trace } from './trace.ts'

type Fake = SqlDriver<FakeConnection>

/** A token says whose statement it is. */
export const TOKENS_EACH = 1_000

function callerOf(token: number): number {
  return Math.floor(token / TOKENS_EACH)
}

/** The fake's driver, with a ledger of everything that the pool does by it. */
export function watchedDriver(fake: Fake, ledger: Ledger, { law, trace }: { law: Law; trace: Trace }): Fake {
  const sees = async <T>(socket: Socket, result: Promise<T>): Promise<T> => {
    try {
      return await result
    } catch (error) {
      if (error instanceof FakeError && error.errorClass === 'fatal') socket.lost = true
      throw error
    } finally {
      ledger.alive(socket)
    }
  }
  const driver: Fake = {
    ...fake,
    async connect(context) {
      const socket = ledger.connecting()
      try {
        const connection = await fake.connect(context)
        ledger.connected(socket, connection)
        return connection
      } catch (error) {
        ledger.gone(socket)
        throw error
      }
    },
    async close(connection) {
      const socket = ledger.closingSocket(connection)
      try {
        await fake.close(connection)
      } finally {
        ledger.gone(socket)
      }
    },
    query(connection, sql, params, options) {
      const socket = ledger.of(connection)
      checkStatement(socket, params, law)
      trace.note('sends', socket.id, typeof params[0] === 'number' ? params[0] : 0)
      return sees(socket, fake.query(connection, sql, params, options))
    },
    async begin(connection, options) {
      const socket = ledger.of(connection)
      socket.transactionOf = UNKNOWN
      socket.beginning = true
      try {
        await sees(socket, fake.begin(connection, options))
      } finally {
        socket.beginning = false
      }
    },
  }
  const { beginWith, isAlive, reset, onLost, stream } = fake
  if (beginWith !== undefined) {
    driver.beginWith = (connection, begin, statement) => {
      const socket = ledger.of(connection)
      checkStatement(socket, statement.params, law)
      const [token] = statement.params
      trace.note('sends', socket.id, typeof token === 'number' ? token : 0)
      socket.transactionOf = typeof token === 'number' ? callerOf(token) : UNKNOWN
      return sees(socket, beginWith(connection, begin, statement))
    }
  }
  if (stream !== undefined) {
    driver.stream = async function* (connection, ...statement) {
      const socket = ledger.of(connection)
      checkStatement(socket, statement[1], law)
      try {
        yield* stream(connection, ...statement)
      } finally {
        ledger.alive(socket)
      }
    }
  }
  if (isAlive !== undefined) {
    driver.isAlive = async (connection, context) => {
      const socket = ledger.of(connection)
      law.demand(socket.owner === undefined, 'checked while lent', () => `connection ${socket.id}`)
      const alive = await isAlive(connection, context)
      if (alive) ledger.proven(socket)
      return alive
    }
  }
  if (reset !== undefined) {
    driver.reset = async (connection, how) => {
      const socket = ledger.of(connection)
      law.demand(socket.owner === undefined, 'reset while lent', () => `connection ${socket.id}`)
      await reset(connection, how)
      socket.transactionOf = undefined
      ledger.alive(socket)
    }
  }
  if (onLost !== undefined) {
    driver.onLost = (connection, lost) => {
      onLost(connection, (error) => {
        ledger.died(ledger.of(connection))
        lost(error)
      })
    }
  }
  return driver
}

const UNKNOWN = -1

/** A statement may only run on its caller's own connection, and never in somebody else's transaction. */
function checkStatement(socket: Socket, params: readonly unknown[], law: Law): void {
  const [token] = params
  if (typeof token !== 'number') return
  const caller = callerOf(token)
  if (!socket.beginning && socket.connection?.session.transaction === 'none') socket.transactionOf = undefined
  const { owner, transactionOf } = socket
  law.demand(socket.closes === 0 && !socket.detached, 'no statement after the end', () => `${token}`)
  law.demand(
    owner === undefined || owner.callers.includes(caller),
    'statements on own connections',
    () => `connection ${socket.id} of ${owner?.callers} got one of ${caller}`,
  )
  if (transactionOf === UNKNOWN) socket.transactionOf = caller
  else if (transactionOf !== undefined)
    law.demand(
      transactionOf === caller,
      'statements in own transactions',
      () => `${transactionOf}, ${caller}`,
    )
}
