import type { QueryOptions, SqlLease, SqlPool } from '../../contract/sql.ts'
import type { FakeConnection } from '../fake-connection.ts'
import type { Random } from '../random.ts'
import { type Act, pause } from './acts-lease.ts'
import { borrow, connectionOf, randomWish, type Wish } from './borrow.ts'
import { TEXTS } from './database.ts'
import type { Held } from './held.ts'
import type { Stage } from './stage.ts'
import {
  CallersOwnError,
  judgeFailure,
  makePlain,
  makeStatement,
  randomStatement,
  run,
} from './statements.ts'

/** How long a caller waits for statements without a limit of their own, before it lets go of the connection. */
const PATIENCE_MS = 3_000

function poolOf(stage: Stage): SqlPool<FakeConnection> {
  return stage.parts.sql as SqlPool<FakeConnection>
}

/** One statement through the pool, with all that its options may say. */
async function query(stage: Stage, caller: number, random: Random): Promise<void> {
  const options: QueryOptions = {}
  if (random.chance(0.3)) options.timeoutMs = random.pick([1, 5, 20, 100, 1_000])
  const signal = random.chance(0.12) ? stage.signal(random.between(0, 20)) : undefined
  if (signal !== undefined) options.signal = signal.asSignal
  if (random.chance(0.2)) options.idempotent = true
  if (random.chance(0.1)) options.multiplex = false
  if (random.chance(0.1)) options.prepare = random.chance(0.5)
  const { tickets } = stage.parts
  const given = random.chance(0.4) ? undefined : options
  const { timeoutMs = Number.POSITIVE_INFINITY } = given ?? {}
  const ticket = tickets.open({
    caller,
    step: stage.steps,
    since: stage.now,
    deadline: stage.now + timeoutMs,
    atOnce: false,
    priority: 0,
    inTurn: false,
    signal,
    stillborn: false,
    key: undefined,
    excess: false,
    acquires: false,
    waitsUntilReady: false,
  })
  const statement = randomStatement(stage, caller, random)
  await run(stage, caller, poolOf(stage), { statement, ...(given && { options: given }), at: 'once' })
  tickets.done(ticket)
}

/** A lease and some statements on it, in a row or all at once; whatever happens, it goes back. */
async function onLease(
  stage: Stage,
  caller: number,
  wish: Wish,
  work: (held: Held<SqlLease<FakeConnection>>) => Promise<unknown>,
): Promise<void> {
  const held = await borrow(stage, caller, wish)
  if (held === undefined) return
  await Promise.race([work(held), stage.sleep(PATIENCE_MS)])
  held.release()
}

export const sqlActs: Record<string, Act> = {
  query,

  async queries(stage, caller, random) {
    const several = random.integer(2, 40)
    await Promise.all(Array.from({ length: several }, () => query(stage, caller, random)))
  },

  async 'impatient queries'(stage, caller, random) {
    const one = () => {
      const statement = random.chance(0.5) ? makePlain(random) : makeStatement(stage, caller, 'read')
      const options = { timeoutMs: random.pick([0.5, 2, 10]) }
      return run(stage, caller, poolOf(stage), { statement, options, at: 'once' })
    }
    await Promise.all(Array.from({ length: random.integer(1, 8) }, one))
  },

  async 'query in a loop'(stage, caller, random) {
    for (let left = random.integer(5, 60); left > 0; left--) {
      const statement = makeStatement(stage, caller, 'read')
      if ((await run(stage, caller, poolOf(stage), { statement, at: 'once' })) === 'failed') return
    }
  },

  async taint(stage, caller) {
    const statement = makeStatement(stage, caller, 'set')
    await run(stage, caller, poolOf(stage), { statement, options: { timeoutMs: 500 }, at: 'once' })
  },

  async 'query on a lease'(stage, caller, random) {
    await onLease(stage, caller, randomWish(stage, random), async (held) => {
      for (let left = random.integer(1, 4); left > 0; left--) {
        const statement = randomStatement(stage, caller, random)
        const options = random.chance(0.2) ? { timeoutMs: random.between(0.1, 30) } : undefined
        const outcome = await run(stage, caller, held.lease, {
          statement,
          ...(options && { options }),
          at: 'once',
        })
        if (outcome === 'failed' && random.chance(0.5)) return
      }
    })
  },

  async 'release in flight'(stage, caller, random) {
    const held = await borrow(stage, caller, randomWish(stage, random))
    if (held === undefined) return
    const running = Array.from({ length: random.integer(1, 3) }, () =>
      run(stage, caller, held.lease, { statement: randomStatement(stage, caller, random), at: 'once' }),
    )
    if (random.chance(0.5)) await pause(stage, random, 2)
    if (random.chance(0.8)) held.release()
    else held.destroy()
    await Promise.all(running)
  },

  async 'begin and forget'(stage, caller, random) {
    await onLease(stage, caller, {}, async ({ lease }) => {
      stage.call('begin', caller)
      try {
        await lease.begin()
        await run(stage, caller, lease, { statement: makeStatement(stage, caller, 'write'), at: 'commit' })
        const way = random.next()
        if (way < 0.3) await lease.commit()
        else if (way < 0.5) await lease.rollback()
      } catch (error) {
        judgeFailure(stage, error)
      }
    })
  },

  async transaction(stage, caller, random) {
    const { database } = stage.parts
    let written: number[] = []
    stage.call('transaction', caller)
    const retries = random.chance(0.3) ? 2 : 0
    const timeoutMs = random.pick([20, 200, 2_000])
    const isolation = random.chance(0.2) ? ('serializable' as const) : undefined
    try {
      await poolOf(stage).transaction(
        async (tx) => {
          written = []
          if (random.chance(0.2)) connectionOf(tx)
          for (let left = random.integer(0, 3); left > 0; left--) {
            const statement = makeStatement(
              stage,
              caller,
              random.pick(['read', 'write', 'write', 'conflict']),
            )
            if (statement.writes) written.push(statement.token)
            stage.call('query', caller)
            if (statement.writes) database.onlyOnce(statement.token)
            await tx.query(statement.text, statement.params)
          }
          if (random.chance(0.2)) await nested(stage, caller, { tx, random, written })
          if (random.chance(0.15)) throw new CallersOwnError('the work fails')
          if (random.chance(0.3)) await pause(stage, random, 5)
        },
        { retries, timeoutMs, ...(isolation && { isolation }) },
      )
      for (const token of written) database.acknowledged(token)
    } catch (error) {
      judgeFailure(stage, error)
    }
  },

  async stream(stage, caller, random) {
    const token = stage.token(caller)
    const signal = random.chance(0.3) ? stage.signal(random.between(0, 10)) : undefined
    const stopAt = random.integer(0, 7)
    stage.call('stream', caller)
    let seen = 0
    try {
      const options = { batch: random.integer(1, 4), ...(signal && { signal: signal.asSignal }) }
      for await (const _ of poolOf(stage).stream(TEXTS.rows, [token], options)) {
        if (seen++ === stopAt) return
        if (random.chance(0.2)) await pause(stage, random, 2)
      }
      stage.parts.law.demand(seen === token % 7, 'all rows of a stream', () => `${seen} of ${token % 7}`)
    } catch (error) {
      judgeFailure(stage, error, signal?.asSignal)
    }
  },

  async session(stage, caller, random) {
    const release = random.pick(['statement', 'transaction', 'close'] as const)
    const session = poolOf(stage).session({ release })
    const work = async () => {
      for (let left = random.integer(1, 4); left > 0; left--) {
        const statement = randomStatement(stage, caller, random)
        await run(stage, caller, session, { statement, at: 'once' })
        if (random.chance(0.2))
          await session.transaction(async (tx) => void (await tx.query(TEXTS.read, [stage.token(caller)])))
      }
    }
    stage.call('session', caller)
    await Promise.race([work().catch((error) => judgeFailure(stage, error)), stage.sleep(PATIENCE_MS)])
    await session.close().catch((error) => judgeFailure(stage, error))
  },

  async use(stage, caller, random) {
    const fails = random.chance(0.3)
    stage.call('use', caller)
    try {
      await poolOf(stage).use(
        async (lease) => {
          const connection = connectionOf(lease)
          if (connection !== undefined) stage.parts.ledger.lent(connection, caller, undefined)
          await pause(stage, random, 5)
          if (connection !== undefined)
            stage.parts.ledger.givenBack(stage.parts.ledger.of(connection), caller)
          if (fails) throw new CallersOwnError('the work fails')
        },
        { timeoutMs: random.pick([5, 100, 1_000]) },
      )
    } catch (error) {
      judgeFailure(stage, error)
    }
  },
}

async function nested(
  stage: Stage,
  caller: number,
  {
    tx,
    random,
    written,
  }: {
    tx: Parameters<Parameters<SqlPool<FakeConnection>['transaction']>[0]>[0]
    random: Random
    written: number[]
  },
): Promise<void> {
  const token = stage.token(caller)
  const fails = random.chance(0.4)
  try {
    await tx.transaction(async (inner) => {
      stage.parts.database.onlyOnce(token)
      await inner.query(TEXTS.write, [token])
      if (fails) throw new CallersOwnError('the nested work fails')
    })
    written.push(token)
  } catch (error) {
    if (!(error instanceof CallersOwnError)) throw error
  }
}
