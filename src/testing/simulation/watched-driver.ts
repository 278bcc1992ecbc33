import type { SqlDriver } from '../../contract/sql-driver.ts'
import type { FakeConnection } from '../fake-connection.ts'
import { FakeError } from '../fake-error.ts'
import type { Attempts } from './attempts.ts'
import type { Ledger } from './ledger.ts'
import type { Socket } from './socket.ts'
import type { Trace } from './trace.ts'
import { callerOf, type Traffic, UNKNOWN } from './traffic.ts'
import { type PhaseFacts, watchedPhase } from './watched-hooks.ts'

type Fake = SqlDriver<FakeConnection>

/** Those who watch what a pool does by its driver. */
export interface Watchers {
  readonly ledger: Ledger
  readonly attempts: Attempts
  readonly traffic: Traffic
  readonly trace: Trace
  readonly facts: PhaseFacts
}

/** The fake's driver, with a ledger of everything that the pool does by it. */
export function watchedDriver(fake: Fake, { ledger, attempts, traffic, trace, facts }: Watchers): Fake {
  const { law } = facts
  const sees = async <T>(socket: Socket, result: Promise<T>): Promise<T> => {
    try {
      return await result
    } catch (error) {
      if (error instanceof FakeError && error.errorClass === 'fatal') socket.lost = true
      throw error
    } finally {
      ledger.alive(socket)
      traffic.answered(socket)
    }
  }
  const driver: Fake = {
    ...fake,
    async connect(context) {
      const socket = ledger.connecting()
      attempts.begin(socket, context.signal)
      try {
        const connection = await fake.connect(context)
        attempts.end(socket, 'connected')
        ledger.connected(socket, connection)
        return connection
      } catch (error) {
        attempts.end(socket, 'failed')
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
      traffic.sends(socket, params)
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
  const { beginWith, isAlive, reset, onLost, stream, confirmStale } = fake
  if (confirmStale !== undefined) {
    driver.confirmStale = async (connection) => {
      const isStale = await confirmStale(connection)
      if (isStale) ledger.fitness.stale(ledger.of(connection))
      return isStale
    }
  }
  if (beginWith !== undefined) {
    driver.beginWith = (connection, begin, statement) => {
      const socket = ledger.of(connection)
      traffic.sends(socket, statement.params)
      const [token] = statement.params
      trace.note('sends', socket.id, typeof token === 'number' ? token : 0)
      socket.transactionOf = typeof token === 'number' ? callerOf(token) : UNKNOWN
      return sees(socket, beginWith(connection, begin, statement))
    }
  }
  if (stream !== undefined) {
    driver.stream = async function* (connection, ...statement) {
      const socket = ledger.of(connection)
      traffic.sends(socket, statement[1])
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
      const { signal } = context
      let alive = false
      socket.checking++
      try {
        alive = await watchedPhase(facts, { name: 'isAlive', signal, socket }, async () =>
          isAlive(connection, context),
        )
      } finally {
        socket.checking--
        // One that answers no in time speaks for all.
        if (alive) ledger.proven(socket)
        else if (!signal.aborted && ledger.open.has(socket)) ledger.fitness.suspected()
      }
      return alive
    }
  }
  if (reset !== undefined) {
    driver.reset = async (connection, how) => {
      const socket = ledger.of(connection)
      law.demand(socket.owner === undefined, 'reset while lent', () => `connection ${socket.id}`)
      socket.phaseDeadline = facts.now() + facts.limitMs.onRelease
      await reset(connection, how)
      socket.phaseDeadline = Number.POSITIVE_INFINITY
      socket.transactionOf = undefined
      if (how === 'full') socket.bare = ledger.orders.hooks.onConnect
      ledger.alive(socket)
    }
  }
  if (onLost !== undefined) {
    driver.onLost = (connection, lost) => {
      onLost(connection, (error) => {
        if (ledger.died(ledger.of(connection))) attempts.doubted()
        lost(error)
      })
    }
  }
  return driver
}
