import { describe, expect, test, vi } from 'vitest'
import * as ours from '../../../src/contract/errors.ts'
import { createPool } from '../../../src/create-pool.ts'

const snapshot = {
  connecting: 0,
  validating: 0,
  idle: 0,
  leased: 2,
  resetting: 0,
  closing: 0,
  total: 2,
  waiting: 1,
  max: 2,
  lateByMs: 0,
}

type Errors = typeof ours
type Class = new () => Error

/** One of each, made by a copy of the module. */
function all(e: Errors): Record<string, ours.PoolError> {
  return {
    AcquireTimeoutError: new e.AcquireTimeoutError('p', { phase: 'queue', waitedMs: 5, snapshot }),
    QueueFullError: new e.QueueFullError('p', { waiting: 3, maxWaiting: 2, max: 2 }),
    PoolClosedError: new e.PoolClosedError('p'),
    ConnectError: new e.ConnectError('p', 'no'),
    LeaseReleasedError: new e.LeaseReleasedError('released'),
    PoolDeadlockError: new e.PoolDeadlockError('p', 'nested'),
    OverloadError: new e.OverloadError('p', { waitedMs: 5, retryAfterMs: 7 }),
    InvalidOptionError: new e.InvalidOptionError('max', 'option "max" is 0'),
    DriverMissingError: new e.DriverMissingError('pg'),
    QueryTimeoutError: new e.QueryTimeoutError('p', 50),
    ConnectionLostError: new e.ConnectionLostError('p', 'unknown'),
    TransactionError: new e.TransactionError('COMMIT_UNKNOWN', 'p'),
    SessionStatementError: new e.SessionStatementError('BEGIN', 'pool.use()'),
    PoolBugError: new e.PoolBugError('p'),
  }
}

describe('every error', () => {
  test('is a PoolError with a stable code and its own name', () => {
    const codes = Object.fromEntries(Object.entries(all(ours)).map(([name, error]) => [name, error.code]))
    expect(codes).toEqual({
      AcquireTimeoutError: 'ACQUIRE_TIMEOUT',
      QueueFullError: 'QUEUE_FULL',
      PoolClosedError: 'POOL_CLOSED',
      ConnectError: 'CONNECT_FAILED',
      LeaseReleasedError: 'LEASE_RELEASED',
      PoolDeadlockError: 'POOL_DEADLOCK',
      OverloadError: 'OVERLOADED',
      InvalidOptionError: 'INVALID_OPTION',
      DriverMissingError: 'DRIVER_MISSING',
      QueryTimeoutError: 'QUERY_TIMEOUT',
      ConnectionLostError: 'CONNECTION_LOST',
      TransactionError: 'COMMIT_UNKNOWN',
      SessionStatementError: 'SESSION_STATEMENT',
      PoolBugError: 'POOL_BUG',
    })
    for (const [name, error] of Object.entries(all(ours))) {
      expect(error).toBeInstanceOf(Error)
      expect(error).toBeInstanceOf(ours.PoolError)
      expect(error.name).toBe(name)
      expect(error.stack).toContain(error.message.split('\n')[0])
    }
  })

  test('knows its class in another copy of the package, and only its own', async () => {
    vi.resetModules()
    const theirs: Errors = await import('../../../src/contract/errors.ts')
    expect(theirs.PoolError).not.toBe(ours.PoolError)
    const mine = all(ours)
    const foreign = all(theirs)
    const classes = { ours: { ...ours } as unknown, theirs: { ...theirs } as unknown } as Record<
      'ours' | 'theirs',
      Record<string, Class>
    >
    for (const name of Object.keys(mine)) {
      for (const other of Object.keys(mine)) {
        const [ourClass, theirClass] = [classes.ours[other], classes.theirs[other]] as [Class, Class]
        expect(mine[name] instanceof theirClass, `${name} instanceof ${other}`).toBe(name === other)
        expect(foreign[name] instanceof ourClass).toBe(name === other)
      }
      expect(foreign[name]).toBeInstanceOf(ours.PoolError)
    }
  })

  test('of a user’s subclass is an instance of ours; ours is none of the user’s', () => {
    class Mine extends ours.PoolClosedError {}
    const mine = new Mine('p')
    expect(mine).toBeInstanceOf(Mine)
    expect(mine).toBeInstanceOf(ours.PoolClosedError)
    expect(mine).toBeInstanceOf(ours.PoolError)
    expect(mine).not.toBeInstanceOf(ours.QueueFullError)
    expect(new ours.PoolClosedError('p')).not.toBeInstanceOf(Mine)
  })

  test('other things are none', () => {
    for (const thing of [null, undefined, 1, 'PoolError', {}, new Error('x'), { code: 'POOL_CLOSED' }])
      expect(thing).not.toBeInstanceOf(ours.PoolError)
  })
})

describe('the facts of', () => {
  test('a full queue and an overload', () => {
    const { QueueFullError, OverloadError } = all(ours)
    expect(QueueFullError).toMatchObject({ waiting: 3 })
    expect(QueueFullError?.message).toMatch(/pool "p".*2 connections.*3 callers.*maxWaiting 2/)
    expect(OverloadError).toMatchObject({ retryAfterMs: 7 })
  })

  test('a missing driver: how to install it', () => {
    const error = new ours.DriverMissingError('pg', { cause: new Error('not found') })
    expect(error).toMatchObject({ packageName: 'pg', cause: { message: 'not found' } })
    expect(error.message).toContain('npm install pg')
  })

  test('a lost connection: whether the statement ran, and why it was lost', () => {
    const cause = new Error('reset by peer')
    const error = new ours.ConnectionLostError('p', 'no', { cause })
    expect(error).toMatchObject({ executed: 'no', cause })
    expect(error.message).toContain('reset by peer')
    expect(error.message).toContain('not executed')
  })

  test('a cause that is no error, or one with many', () => {
    expect(new ours.ConnectionLostError('p', 'no', { cause: 'gone' }).message).toContain('(gone)')
    const many = new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')])
    expect(ours.messageOf(many)).toBe('::1 refused, 127.0.0.1 refused')
    expect(ours.messageOf(undefined)).toBe('undefined')
    expect(ours.messageOf(Object.create(null))).toBeTypeOf('string')
  })
})

test('a URL with a password never shows it', () => {
  for (const url of [
    'postgres://user:hunter2@host/db?pool.max=zero',
    'postgres://user:hunter2@host/db?pool.maxx=5',
    'nonsense://user:hunter2@host/db',
    'postgres://user:hunter2@host:notaport/db?pool.max=0',
  ]) {
    try {
      createPool(url)
    } catch (error) {
      expect(error).toBeInstanceOf(ours.InvalidOptionError)
      expect(String(error)).not.toContain('hunter2')
    }
  }
})
