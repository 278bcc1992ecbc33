import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { Sequelize } from 'sequelize'
import { expect, onTestFinished, test } from 'vitest'
import { InvalidOptionError } from '../../../src/index.ts'
import { rockpoolSequelize, type SequelizePoolOptions } from '../../../src/orm/sequelize/index.ts'
import { eventually } from '../../support/postgres.ts'
import { statsOf } from './lab.ts'

const load = createRequire(import.meta.url)

function open(
  dialect: 'mssql' | 'oracle' | 'sqlite',
  dialectModule: object,
  options: SequelizePoolOptions = {},
): Sequelize {
  const made = new Sequelize('db', 'user', 'password', {
    dialect,
    dialectModule,
    logging: false,
    host: 'localhost',
    pool: { max: 1 },
  })
  // Known, so that nobody asks for it.
  Object.assign((made as unknown as { options: object }).options, { databaseVersion: '15.0.0' })
  const sequelize = rockpoolSequelize(made, options)
  onTestFinished(() => sequelize.close())
  return sequelize
}

interface Manager {
  getConnection(): Promise<object>
  releaseConnection(connection: object): void
}

const managerOf = (sequelize: Sequelize) => sequelize.connectionManager as unknown as Manager

/** A connection of tedious as far as pools have to do with it, with a server that is always there. */
class FakeTedious extends EventEmitter {
  static all: FakeTedious[] = []
  readonly STATE = { INITIALIZED: { name: 'Initialized' } }
  state = this.STATE.INITIALIZED
  closed = false
  inTransaction = false
  rollbacks = 0

  constructor() {
    super()
    FakeTedious.all.push(this)
  }

  connect(): void {
    setImmediate(() => {
      this.state = { name: 'LoggedIn' }
      this.emit('connect')
    })
  }

  rollbackTransaction(done: () => void): void {
    this.rollbacks++
    this.inTransaction = false
    setImmediate(done)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    setImmediate(() => this.emit('end'))
  }
}

test('SQL Server by tedious: an open transaction is rolled back, a busy or dead connection is not lent again', async () => {
  FakeTedious.all = []
  const sequelize = open('mssql', { ...load('tedious'), Connection: FakeTedious })
  const manager = managerOf(sequelize)
  const first = (await manager.getConnection()) as FakeTedious
  first.inTransaction = true
  manager.releaseConnection(first)
  expect(await manager.getConnection()).toBe(first)
  expect(first.rollbacks).toBe(1)
  // Its socket fails while it is held: the slot is free at once.
  first.emit('error', Object.assign(new Error('gone'), { code: 'ECONNRESET' }))
  first.close()
  const second = (await manager.getConnection()) as FakeTedious
  expect(second).not.toBe(first)
  manager.releaseConnection(first)
  second.state = { name: 'SentClientRequest' }
  manager.releaseConnection(second)
  expect(await manager.getConnection()).not.toBe(second)
  expect(second.closed).toBe(true)
  expect(statsOf(sequelize)).toMatchObject({ total: 1, leased: 1 })
})

/** A connection of oracledb, likewise. */
class FakeOracle extends EventEmitter {
  readonly oracleServerVersionString = '23.0.0.0.0'
  transactionInProgress = false
  isWell = true
  rollbacks = 0
  pings = 0

  isHealthy(): boolean {
    return this.isWell
  }

  async ping(): Promise<void> {
    this.pings++
    if (!this.isWell) throw new Error('NJS-500')
  }

  async rollback(): Promise<void> {
    this.rollbacks++
    this.transactionInProgress = false
  }

  close(first?: unknown): Promise<void> {
    this.isWell = false
    if (typeof first === 'function') first()
    return Promise.resolve()
  }
}

test('Oracle by oracledb: its open transaction is rolled back, and it is asked before it is lent again', async () => {
  const made: FakeOracle[] = []
  const getConnection = async () => {
    const connection = new FakeOracle()
    made.push(connection)
    return connection
  }
  const sequelize = open('oracle', { ...load('oracledb'), getConnection }, { validateAfterIdleMs: 0 })
  const manager = managerOf(sequelize)
  const first = (await manager.getConnection()) as FakeOracle
  first.transactionInProgress = true
  manager.releaseConnection(first)
  expect(await manager.getConnection()).toBe(first)
  expect(first).toMatchObject({ rollbacks: 1, pings: 1 })
  manager.releaseConnection(first)
  first.isWell = false
  expect(await manager.getConnection()).not.toBe(first)
  expect(made).toHaveLength(2)
  await eventually(() => expect(statsOf(sequelize).closed.invalid).toBe(1))
})

test('SQLite is refused: there Sequelize has no pool that could be replaced', () => {
  const refused = () => open('sqlite', { Database: class {}, OPEN_READWRITE: 2, OPEN_CREATE: 4 })
  expect(refused).toThrow(InvalidOptionError)
  expect(refused).toThrow(/with SQLite Sequelize uses no pool/)
})
