import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import original from 'oracledb'
import type { OracleColumn, OracleResult } from '../../src/drivers/oracledb/client.ts'

type Row = Record<string, unknown>
type Native = InstanceType<typeof Database>

/** An error as the package throws it: the code before the text, and the server's number. */
function oracleError(code: string, text: string): Error {
  const errorNum = Number(code.slice(4))
  return Object.assign(new Error(`${code}: ${text}`), { code, errorNum, offset: 0 })
}

/** What the package makes of the end of a session. */
const broken = (cause: string) =>
  Object.assign(new Error(`NJS-500: connection to the Oracle Database was broken\n${cause}`), {
    code: 'NJS-500',
    isRecoverable: true,
  })

const isWrite = (sql: string) => /^\s*(insert|update|delete|merge)\b/i.test(sql)
const isDdl = (sql: string) => /^\s*(create|alter|drop|truncate)\b/i.test(sql)

/**
 * What an Oracle server and its package look like from a driver, on SQLite: transactions begin by themselves, names are in
 * upper case, an empty text is null, `break` stops what runs. Every method and option that is here is checked against the
 * package's own, in test/integration/drivers/oracledb.shape.test.ts.
 */
export class FakeOracle {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rockpool-oracle-'))
  readonly sessions = new Map<number, FakeConnection>()
  /** Everything that was ever passed to the package, by the name of what it was passed to. */
  readonly passed = { attributes: new Set<string>(), pool: new Set<string>(), execute: new Set<string>() }
  /** As after a change of the password: nobody logs in any more. */
  refuses = false
  maxSessions = Number.POSITIVE_INFINITY
  role: 'PRIMARY' | 'PHYSICAL STANDBY' = 'PRIMARY'
  /** Sessions given back to the server's own pool. */
  released = 0
  closedPools = 0
  /** Names under which the package keeps pools for the whole program. */
  readonly aliases: unknown[] = []
  /** What the end of the package's own pool fails with. */
  poolCloseError: Error | undefined
  /** Rows that are fetched wait for it. */
  fetchPace: Promise<unknown> = Promise.resolve()
  #ids = 0

  constructor() {
    const db = this.open()
    db.exec('pragma journal_mode = wal; create table dual (dummy text); insert into dual values (null)')
    db.close()
  }

  open(): Native {
    const db = new Database(join(this.#folder, 'oracle.db'), { timeout: 0 })
    db.exec('pragma synchronous = off')
    return db
  }

  close(): void {
    for (const session of this.sessions.values()) session.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  kill(id: number): void {
    this.sessions.get(id)?.die('ORA-00028: your session has been killed')
  }

  /** The package, with all its constants. */
  module() {
    const login = async (attributes: Row): Promise<FakeConnection> => {
      for (const name of Object.keys(attributes)) this.passed.attributes.add(name)
      await new Promise((resolve) => setImmediate(resolve))
      if (this.refuses || attributes.password === 'wrong')
        throw oracleError('ORA-01017', 'invalid credential')
      if (String(attributes.connectString).includes('nowhere'))
        throw Object.assign(new Error('NJS-518: service "nowhere" is not registered'), { code: 'NJS-518' })
      if (this.sessions.size >= this.maxSessions)
        throw oracleError('ORA-12516', 'listener could not find available handler')
      const session = new FakeConnection(this, ++this.#ids)
      this.sessions.set(session.id, session)
      return session
    }
    const createPool = async (attributes: Row) => {
      for (const name of Object.keys(attributes)) this.passed.pool.add(name)
      this.aliases.push(attributes.poolAlias)
      return new FakePool(() => login({ password: attributes.password }), this)
    }
    return Object.create(Object.prototype, {
      ...Object.getOwnPropertyDescriptors(original),
      getConnection: { value: login, enumerable: true },
      createPool: { value: createPool, enumerable: true },
    }) as typeof original
  }
}

/** The package's own pool: what is given back keeps its socket, its session goes back to the server. */
export class FakePool {
  readonly #idle: FakeConnection[] = []
  readonly #login: () => Promise<FakeConnection>
  readonly #server: FakeOracle
  isClosed = false

  constructor(login: () => Promise<FakeConnection>, server: FakeOracle) {
    this.#login = login
    this.#server = server
  }

  async getConnection(): Promise<FakeConnection> {
    const before = this.#idle.pop()
    const connection =
      before === undefined ? await this.#login() : new FakeConnection(this.#server, before.id)
    // What was set on the connection below stays there, whoever has it next.
    connection.callTimeout = before?.callTimeout ?? 0
    this.#server.sessions.set(connection.id, connection)
    connection.giveBack = () => {
      this.#server.released++
      this.#idle.push(connection)
    }
    return connection
  }

  async close(drainTime: number): Promise<void> {
    void drainTime
    this.isClosed = true
    this.#server.closedPools++
    if (this.#server.poolCloseError !== undefined) throw this.#server.poolCloseError
    for (const { id } of this.#idle) this.#server.sessions.delete(id)
  }
}

/** A session, or one that was. */
export class FakeConnection {
  readonly id: number
  callTimeout = 0
  giveBack: (() => void) | undefined
  readonly #server: FakeOracle
  #db: Native
  /** Its snapshot was overtaken: only a rollback is of use. */
  #isDoomed = false
  readonly #events = new EventEmitter()
  #tail: Promise<unknown> = Promise.resolve()
  #death: string | undefined
  #isOpen = true
  #isReadOnly = false
  /** A break that came between two calls hits the next one. */
  #breaks = 0

  constructor(server: FakeOracle, id: number) {
    this.#server = server
    this.id = id
    this.#db = server.open()
  }

  get transactionInProgress(): boolean {
    return this.#isDoomed || (this.#db.open && this.#db.inTransaction)
  }

  isHealthy(): boolean {
    return this.#isOpen && this.#death === undefined
  }

  execute(sql: string, binds: readonly unknown[] = [], options: Row = {}): Promise<OracleResult> {
    for (const name of Object.keys(options)) this.#server.passed.execute.add(name)
    return this.#call(async () => {
      const result = await this.#run(sql, binds, options)
      if (options.autoCommit === true) this.#commit()
      return result
    })
  }

  commit(): Promise<void> {
    return this.#call(async () => this.#commit())
  }

  rollback(): Promise<void> {
    return this.#call(async () => this.#rollback())
  }

  ping(): Promise<void> {
    return this.#call(async () => undefined)
  }

  async break(): Promise<void> {
    this.#breaks++
    this.#events.emit('break')
  }

  async close(options: { drop?: boolean } = {}): Promise<void> {
    if (!this.#isOpen)
      throw Object.assign(new Error('NJS-003: invalid or closed connection'), { code: 'NJS-003' })
    await this.#tail.catch(() => undefined)
    this.#isOpen = false
    if (this.giveBack !== undefined && options.drop !== true && this.#death === undefined) {
      this.#shut()
      this.giveBack()
    } else this.end()
  }

  die(why: string): void {
    this.#death = why
    this.end()
    this.#events.emit('end')
  }

  end(): void {
    this.#server.sessions.delete(this.id)
    this.#shut()
  }

  #shut(): void {
    if (!this.#db.open) return
    this.#rollback()
    this.#db.close()
  }

  #call<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail
      .catch(() => undefined)
      .then(async () => {
        this.#assertAlive()
        this.#assertUnbroken()
        try {
          return await work()
        } catch (error) {
          this.#assertAlive()
          throw error
        }
      })
    this.#tail = turn
    turn.catch(() => undefined)
    return turn
  }

  #assertAlive(): void {
    if (this.#death !== undefined) throw broken(this.#death)
    if (!this.#isOpen)
      throw Object.assign(new Error('NJS-003: invalid or closed connection'), { code: 'NJS-003' })
  }

  #assertUnbroken(): void {
    if (this.#breaks === 0) return
    this.#breaks = 0
    throw oracleError('ORA-01013', 'User requested cancel of current operation.')
  }

  async #run(sql: string, binds: readonly unknown[], options: Row): Promise<OracleResult> {
    const slept = /dbms_session\.sleep\((.+)\)/i.exec(sql)
    if (slept !== null) return this.#sleep(Number(slept[1]) * 1000)
    const level = /^set transaction (.+)/i.exec(sql)?.[1]
    if (level !== undefined) return this.#setTransaction(level)
    if (isWrite(sql)) this.#assertWritable()
    if (isDdl(sql)) this.#commit()
    else if (!this.#db.inTransaction && (isWrite(sql) || /^savepoint/i.test(sql))) await this.#begin()
    return this.#patiently(() => this.#execute(sql, binds, options))
  }

  #execute(sql: string, binds: readonly unknown[], options: Row): OracleResult {
    const statement = this.#db.prepare(spoken(sql, this.id, this.#server.role))
    const values = binds.map((value) => (value === '' ? null : value))
    if (!statement.reader) {
      const { changes } = statement.run(values)
      return { rowsAffected: isWrite(sql) ? changes : 0 }
    }
    const metaData = statement.columns().map(({ name }) => ({ name: nameOf(name, sql) }))
    const rows = (statement.raw().all(values) as unknown[][]).map((cells) => rowOf(cells, metaData))
    if (options.resultSet === true)
      return { metaData, resultSet: new FakeResultSet(rows, this.#server, () => this.#assertAlive()) }
    return { metaData, rows }
  }

  async #sleep(ms: number): Promise<OracleResult> {
    const stopped = new AbortController()
    const woken = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      stopped.signal.addEventListener('abort', () => clearTimeout(timer))
    })
    const { signal } = stopped
    await Promise.race(
      [woken, once(this.#events, 'break', { signal }), once(this.#events, 'end', { signal })].map((p) =>
        p.catch(() => undefined),
      ),
    )
    stopped.abort()
    this.#assertAlive()
    this.#assertUnbroken()
    return { rowsAffected: 0 }
  }

  #setTransaction(level: string): OracleResult {
    if (this.#db.inTransaction)
      throw oracleError('ORA-01453', 'SET TRANSACTION must be first statement of transaction')
    this.#isReadOnly = /read only/i.test(level)
    this.#db.exec('begin')
    // Its snapshot is that of the first read.
    this.#db.prepare('select count(*) from dual').all()
    return { rowsAffected: 0 }
  }

  #assertWritable(): void {
    if (this.#server.role !== 'PRIMARY')
      throw oracleError('ORA-16000', 'database or pluggable database open for read-only access')
    if (this.#isReadOnly)
      throw oracleError(
        'ORA-01456',
        'may not perform insert, delete, update operation inside a READ ONLY transaction',
      )
  }

  #begin(): Promise<void> {
    return this.#patiently(() => {
      this.#db.exec('begin immediate')
    })
  }

  #commit(): void {
    this.#isReadOnly = false
    if (this.#db.inTransaction) this.#db.exec('commit')
  }

  /** libsql keeps the snapshot of a statement that failed: only another connection has a new one. */
  #doom(): void {
    this.#isDoomed = true
    this.#db.close()
    this.#db = this.#server.open()
  }

  #rollback(): void {
    this.#isDoomed = false
    this.#isReadOnly = false
    if (this.#db.inTransaction) this.#db.exec('rollback')
  }

  /** Oracle waits for locks; here that is asking again. A snapshot that was overtaken stays so. */
  async #patiently<T>(work: () => T): Promise<T> {
    for (;;) {
      this.#assertAlive()
      this.#assertUnbroken()
      try {
        return work()
      } catch (error) {
        const { code } = error as { code?: string }
        if (code === 'SQLITE_BUSY_SNAPSHOT') this.#doom()
        if (code === 'SQLITE_BUSY_SNAPSHOT')
          throw oracleError('ORA-08177', "can't serialize access for this transaction")
        if (code !== 'SQLITE_BUSY') throw translated(error)
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

export class FakeResultSet {
  readonly #rows: Row[]
  readonly #server: FakeOracle
  readonly #assertAlive: () => void

  constructor(rows: Row[], server: FakeOracle, assertAlive: () => void) {
    this.#rows = rows
    this.#server = server
    this.#assertAlive = assertAlive
  }

  async getRows(count: number): Promise<Row[]> {
    await this.#server.fetchPace
    this.#assertAlive()
    return this.#rows.splice(0, count)
  }

  async close(): Promise<void> {
    this.#rows.length = 0
  }
}

/** Oracle's words that SQLite has not. */
function spoken(sql: string, id: number, role: string): string {
  const series =
    /^select n(.*) from \(select level as n from dual connect by level <= (\d+)\) where n <= (\d+)$/i.exec(
      sql,
    )
  const text =
    series === null
      ? sql
      : `with recursive r(n) as (select 1 union all select n + 1 from r where n < ${series[2]}) select n${series[1]} from r where n <= ${series[3]}`
  return text
    .replaceAll(/(?<!:):(\d+)/g, '?$1')
    .replaceAll(/sys_context\('USERENV', 'SID'\)/gi, String(id))
    .replaceAll(/sys_context\('USERENV', 'DATABASE_ROLE'\)/gi, `'${role}'`)
    .replaceAll(/rpad\('x', (\d+), 'x'\)/gi, "printf('%.$1c', 'x')")
    .replaceAll(/to_char\((\?\d+)\)/gi, 'cast($1 as text)')
}

function nameOf(name: string, sql: string): string {
  return sql.includes(`"${name}"`) ? name : name.toUpperCase()
}

function rowOf(cells: readonly unknown[], metaData: readonly OracleColumn[]): Row {
  return Object.fromEntries(metaData.map(({ name }, i) => [name, cells[i]]))
}

function translated(error: unknown): unknown {
  const { message = '' } = error as Error
  if (/no such table/.test(message)) return oracleError('ORA-00942', 'table or view does not exist')
  if (/UNIQUE/.test(message)) return oracleError('ORA-00001', 'unique constraint violated')
  return oracleError('ORA-00900', message)
}
