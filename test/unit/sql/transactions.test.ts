import { describe, expect, test } from 'vitest'
import {
  type ConnectionLostError,
  LeaseReleasedError,
  TransactionError,
} from '../../../src/contract/errors.ts'
import type { Transaction } from '../../../src/contract/sql.ts'
import type { FakeConnection } from '../../../src/testing/fake-connection.ts'
import { FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { fate, sqlWorld } from '../../support/world.ts'

type Tx = Transaction<FakeConnection>

// BEGIN may travel with the first statement; nothing else may change.
describe.each([
  ['BEGIN goes alone', ['beginWith']],
  ['BEGIN goes with the first statement', []],
] as const)('transaction (%s)', (_, without) => {
  const scene = (options = {}, around = {}) => sqlWorld(options, { driver: { without }, ...around })

  test('commits when the work resolves, and gives what it gave', async () => {
    const { clock, pool, sent } = scene()
    const result = await clock.until(
      pool.transaction(async (tx) => {
        await tx.query('insert 1')
        await tx.query('insert 2')
        return 'done'
      }),
    )
    expect(result).toBe('done')
    expect(sent()).toEqual(['begin', 'insert 1', 'insert 2', 'commit'])
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
  })

  test('rolls back when the work rejects or throws, and throws the same', async () => {
    const { pool, sent, errorOf } = scene()
    const problem = new Error('mine')
    const work = async (tx: Tx) => {
      await tx.query('insert')
      throw problem
    }
    expect(await errorOf(pool.transaction(work))).toBe(problem)
    expect(sent()).toEqual(['begin', 'insert', 'rollback'])
    const thrower = () => {
      throw problem
    }
    expect(await errorOf(pool.transaction(thrower))).toBe(problem)
    expect(pool.stats()).toMatchObject({ idle: 1, resetting: 0 })
  })

  test('a statement’s error is the driver’s own, and the connection goes on', async () => {
    const { pool, server, errorOf } = scene()
    const error = new FakeError('statement', 'duplicate')
    server.answer('insert', error)
    expect(await errorOf(pool.transaction((tx) => tx.query('insert')))).toBe(error)
    expect(pool.stats()).toMatchObject({ idle: 1, closed: { dirty: 0, invalid: 0, destroyed: 0 } })
  })

  test('begins with what was asked for', async () => {
    const { clock, pool, sent, errorOf } = scene()
    await clock.until(pool.transaction((tx) => tx.query('x'), { isolation: 'serializable', readOnly: true }))
    expect(sent()[0]).toBe('begin isolation level serializable read only')
    for (const options of [
      { isolation: 'strict' as never },
      { readOnly: 1 as never },
      { retries: -1 },
      { retries: Number.NaN },
      { isolationLevel: 'serializable' } as never,
    ]) {
      expect(await errorOf(pool.transaction(async () => {}, options))).toMatchObject({
        code: 'INVALID_OPTION',
      })
    }
    expect(await errorOf(pool.transaction(1 as never))).toMatchObject({ option: 'work' })
  })

  test('whose BEGIN fails rejects, and nothing of it stays', async () => {
    const { clock, pool, server, errorOf } = scene()
    const error = new FakeError('statement', 'not now')
    server.next('begin', { error })
    const failed = await errorOf(pool.transaction((tx) => tx.query('insert')))
    expect(failed === error || (failed as Error).cause === error).toBe(true)
    await clock.advance(100)
    expect(pool.stats()).toMatchObject({ leased: 0, resetting: 0, waiting: 0 })
    expect(server.connections.every(({ session }) => session.transaction === 'none')).toBe(true)
  })

  test.each([
    ['a statement', (tx: Tx) => tx.query('insert 1')],
    ['one with limits', (tx: Tx) => tx.query('insert 1', [], { timeoutMs: 1_000 })],
    ['a savepoint', (tx: Tx) => tx.transaction((inner) => inner.query('insert 1'))],
  ])('whose BEGIN fails lets nothing run outside of it: %s', async (_, first) => {
    const { pool, server, sent, errorOf } = scene()
    server.next('begin', { error: new FakeError('statement', 'not now') })
    const work = async (tx: Tx) => {
      await first(tx).catch(() => {})
      await tx.query('insert 2')
    }
    expect(await errorOf(pool.transaction(work))).toBeInstanceOf(Error)
    expect(sent()).not.toContain('insert 1')
    expect(sent()).not.toContain('insert 2')
  })

  test('a COMMIT answered by ROLLBACK is TRANSACTION_ABORTED, never a success', async () => {
    const { pool, server, errorOf } = scene()
    server.answer('bad', new FakeError('statement', 'no'))
    const work = pool.transaction(async (tx) => {
      await tx.query('bad').catch(() => {})
      return 'looks fine'
    })
    const error = await errorOf(work)
    expect(error).toBeInstanceOf(TransactionError)
    expect(error).toMatchObject({ code: 'TRANSACTION_ABORTED' })
  })

  test('a connection lost after COMMIT was sent is COMMIT_UNKNOWN, and is not repeated', async () => {
    const { clock, pool, server, asked } = scene({}, { server: { latencyMs: 10 } })
    const killed = fakeErrors.killed()
    server.next('commit', { latencyMs: 100 })
    const work = fate(pool.transaction((tx) => tx.query('insert'), { retries: 5 }))
    await clock.advance(60)
    expect(asked('commit')).toEqual(['commit'])
    server.kill(undefined, killed)
    await clock.advance(100)
    expect(work.error).toBeInstanceOf(TransactionError)
    expect(work.error).toMatchObject({ code: 'COMMIT_UNKNOWN', cause: killed })
    expect(asked('commit')).toEqual(['commit'])
  })

  test('a connection lost before COMMIT was sent is CONNECTION_LOST, and repeated when asked', async () => {
    for (const [retries, expected] of [
      [0, 'CONNECTION_LOST'],
      [1, 'done'],
    ] as const) {
      const { clock, pool, server } = scene({}, { server: { latencyMs: 10 } })
      let runs = 0
      const work = fate(
        pool.transaction(
          async (tx) => {
            runs++
            await tx.query('insert')
            if (runs === 1) server.kill()
            await tx.query('update')
            return 'done'
          },
          { retries },
        ),
      )
      await clock.advance(500)
      expect(work.value ?? (work.error as ConnectionLostError).code).toBe(expected)
      expect(runs).toBe(retries + 1)
    }
  })

  test('a conflict is repeated on a new lease, as a whole and as often as asked; the last error is thrown', async () => {
    const { clock, pool, server, sent, errorOf } = scene()
    const conflict = new FakeError('conflict', 'somebody was faster')
    let failures = 2
    server.answer('update', () => (failures-- > 0 ? conflict : []))
    await clock.until(pool.transaction((tx) => tx.query('update'), { retries: 2 }))
    expect(sent().filter((text) => text === 'update').length).toBe(3)
    expect(sent().filter((text) => text === 'rollback').length).toBe(2)
    failures = 5
    expect(await errorOf(pool.transaction((tx) => tx.query('update'), { retries: 2 }))).toBe(conflict)
    expect(failures).toBe(2)
    failures = 1
    expect(await errorOf(pool.transaction((tx) => tx.query('update')))).toBe(conflict)
  })

  test('a conflict at COMMIT is repeated too', async () => {
    const { clock, pool, server, asked } = scene()
    server.next('commit', { error: new FakeError('conflict', 'serialization failure') })
    await clock.until(pool.transaction((tx) => tx.query('update'), { retries: 1 }))
    expect(asked('commit').length).toBe(2)
  })

  test('whose ROLLBACK fails loses the connection, and throws the work’s error all the same', async () => {
    const { clock, pool, server, errorOf } = scene()
    const problem = new Error('mine')
    server.always('rollback', { error: new FakeError('statement', 'cannot') })
    const work = pool.transaction(async (tx) => {
      await tx.query('insert')
      throw problem
    })
    expect(await errorOf(work)).toBe(problem)
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })

  test('on a lease whose ROLLBACK fails excuses the holder’s release', async () => {
    const { clock, pool, server, errorOf } = scene()
    const problem = new Error('mine')
    server.always('rollback', { error: new FakeError('statement', 'cannot') })
    const program = async () => {
      const lease = await pool.acquire()
      try {
        await lease.transaction(async (tx) => {
          await tx.query('insert')
          throw problem
        })
      } finally {
        lease.release()
      }
    }
    expect(await errorOf(program())).toBe(problem)
    await clock.advance(0)
    expect(pool.stats().total).toBe(0)
  })

  test('the handle is refused after the end, by name', async () => {
    const { clock, pool, errorOf } = scene()
    let kept: Tx | undefined
    await clock.until(
      pool.transaction(async (tx) => {
        kept = tx
        await tx.query('x')
      }),
    )
    const tx = kept as Tx
    expect(await errorOf(tx.query('late'))).toBeInstanceOf(LeaseReleasedError)
    expect(await errorOf(tx.transaction(async () => {}))).toBeInstanceOf(LeaseReleasedError)
    expect(() => tx.connection).toThrow(LeaseReleasedError)
    expect(() => tx.stream('late')).toThrow(/the transaction has ended/)
  })

  test('awaits statements that the work has forgotten to await, before it commits', async () => {
    const { clock, pool, sent, server } = scene({}, { server: { latencyMs: 10 } })
    await clock.until(
      pool.transaction(async (tx) => {
        void tx.query('a')
        void tx.query('b')
      }),
    )
    expect(sent()).toEqual(['begin', 'a', 'b', 'commit'])
    expect(server.misuse).toEqual([])
  })

  test('that begins with a stream, a nested one or the raw connection is in a transaction as well', async () => {
    for (const first of [
      async (tx: Tx) => {
        for await (const _ of tx.stream('rows'));
      },
      (tx: Tx) => tx.transaction((inner) => inner.query('x')),
      (tx: Tx) => tx.query('limited', [], { timeoutMs: 1000 }),
    ]) {
      const { clock, pool, sent } = scene()
      await clock.until(
        pool.transaction(async (tx) => {
          await first(tx)
        }),
      )
      expect(sent()[0]).toBe('begin')
      expect(sent().at(-1)).toBe('commit')
    }
  })
})

describe('a nested transaction', () => {
  test('is a savepoint, released or rolled back, and the outer goes on', async () => {
    const { clock, pool, sent, server } = sqlWorld()
    server.answer('bad', new FakeError('statement', 'no'))
    await clock.until(
      pool.transaction(async (tx) => {
        await tx.query('a')
        await tx.transaction((inner) => inner.query('b'))
        await tx.transaction((inner) => inner.query('bad')).catch(() => {})
        await tx.transaction((inner) => inner.transaction((deepest) => deepest.query('c')))
        await tx.query('d')
      }),
    )
    expect(sent()).toEqual([
      'begin',
      'a',
      ...['savepoint rockpool_1', 'b', 'release savepoint rockpool_1'],
      ...['savepoint rockpool_1', 'bad', 'rollback to savepoint rockpool_1'],
      ...['savepoint rockpool_1', 'savepoint rockpool_2', 'c'],
      ...['release savepoint rockpool_2', 'release savepoint rockpool_1'],
      'd',
      'commit',
    ])
  })

  test('keeps the outer handle out while it is open: rejected at once, naming the inner', async () => {
    const { clock, pool } = sqlWorld()
    const errors: Error[] = []
    await clock.until(
      pool.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          await inner.query('x')
          for (const use of [() => tx.query('outer'), () => tx.transaction(async () => {})])
            await use().catch((error) => errors.push(error))
          expect(() => tx.stream('outer')).toThrow(TransactionError)
          expect(() => tx.connection).toThrow(TransactionError)
        })
        await tx.query('after')
      }),
    )
    expect(errors.map(({ message }) => message)).toEqual(Array(2).fill(expect.stringContaining('rockpool_1')))
    expect(errors[0]).toMatchObject({ code: 'TRANSACTION_ABORTED' })
  })

  test('that the work forgot to await aborts the outer, rather than committing half of it', async () => {
    const { clock, pool, sent, errorOf } = sqlWorld({}, { server: { latencyMs: 10 } })
    const work = pool.transaction(async (tx) => {
      await tx.query('a')
      void tx.transaction((inner) => inner.query('b')).catch(() => {})
    })
    expect(await errorOf(work)).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    await clock.advance(100)
    expect(sent()).toContain('rollback')
    expect(sent()).not.toContain('commit')
    expect(pool.stats().leased).toBe(0)
  })

  test('whose error the work swallowed rejects, is rolled back, and the outer can go on', async () => {
    const { clock, pool, server, sent } = sqlWorld()
    server.answer('bad', new FakeError('statement', 'no'))
    const seen: unknown[] = []
    await clock.until(
      pool.transaction(async (tx) => {
        await tx
          .transaction(async (inner) => {
            await inner.query('bad').catch(() => {})
          })
          .catch((error) => seen.push(error))
        await tx.query('goes on')
      }),
    )
    expect(sent().slice(-2)).toEqual(['goes on', 'commit'])
    expect(seen).toMatchObject([{ code: 'ABORTED' }])
  })

  test('its handle is refused after its end', async () => {
    const { clock, pool, errorOf } = sqlWorld()
    let kept: Tx | undefined
    await clock.until(
      pool.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          kept = inner
        })
        await tx.query('x')
      }),
    )
    expect(await errorOf((kept as Tx).query('late'))).toBeInstanceOf(LeaseReleasedError)
  })
})

describe('begin, commit and rollback of a lease', () => {
  test('do what they say; what is left open is rolled back on return', async () => {
    const { clock, pool, sent, server } = sqlWorld()
    await clock.until(
      pool.use(async (lease) => {
        await lease.begin({ isolation: 'repeatable read' })
        await lease.query('a')
        await lease.commit()
        await lease.begin()
        await lease.rollback()
        await lease.begin()
      }),
    )
    await clock.advance(0)
    expect(sent()).toEqual([
      ...['begin isolation level repeatable read', 'a', 'commit'],
      ...['begin', 'rollback', 'begin', 'rollback'],
    ])
    expect(server.connections[0]?.session.transaction).toBe('none')
    expect(pool.stats().idle).toBe(1)
  })

  test('commit knows COMMIT_UNKNOWN and TRANSACTION_ABORTED', async () => {
    const { clock, pool, server, errorOf } = sqlWorld({}, { server: { latencyMs: 10 } })
    server.answer('bad', new FakeError('statement', 'no'))
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.begin())
    await errorOf(lease.query('bad'))
    expect(await errorOf(lease.commit())).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    await clock.until(lease.begin())
    server.vanish(undefined, 'reset')
    expect(await errorOf(lease.commit())).toMatchObject({ code: 'COMMIT_UNKNOWN' })
    lease.release()
  })
})
