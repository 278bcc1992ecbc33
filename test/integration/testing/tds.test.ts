import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import mssql from 'mssql'
import { Connection, TYPES } from 'tedious'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasFreetds, NO_FREETDS } from '../../support/freetds.ts'
import { eventually } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'
import { delay } from '../../support/sqlserver-subject.ts'
import { ask, useTdsServer } from '../../support/tedious.ts'

const used = useTdsServer()
const says = () => used.server.log.map((entry) => entry.says)
/** Until this is what the server heard last. */
const heard = (sql: string) => eventually(() => expect(says().at(-1)).toBe(sql))

async function tediousClient(options: object = {}): Promise<Connection> {
  const { host, port } = used.server
  const connection = new Connection({
    server: host,
    authentication: { type: 'default', options: { userName: 'sa', password: 'secret' } },
    options: { port, encrypt: false, ...options },
  })
  connection.on('error', () => {})
  onTestFinished(() => connection.close())
  await new Promise<void>((resolve, reject) =>
    connection.connect((error) => (error ? reject(error) : resolve())),
  )
  return connection
}

describe('for tedious', () => {
  test('a request of many packets and an answer of many packets are whole', async () => {
    const connection = await tediousClient({ packetSize: 512 })
    const text = 'häß🦆'.repeat(50_000)
    expect(await ask(connection, 'select @t as t, len(@t) as n', [['t', TYPES.NVarChar, text]])).toEqual([
      [text, text.length],
    ])
    expect(used.server.log.at(-1)?.packets).toBeGreaterThan(100)
  })

  test('each error has its number, and what it ends is what the real server ends', async () => {
    const connection = await tediousClient()
    const numberOf = (sql: string) =>
      ask(connection, sql).then(
        () => 0,
        (error) => error.number,
      )
    expect(await numberOf('selekt 1')).toBe(102)
    expect(await numberOf('select * from nowhere')).toBe(208)
    expect(await numberOf('select x from sys.tables')).toBe(207)
    expect(await numberOf('create table t (id int primary key, n int not null)')).toBe(0)
    expect(await numberOf('insert into t values (1, 1)')).toBe(0)
    expect(await numberOf('insert into t values (1, 1)')).toBe(2627)
    expect(await numberOf('insert into t (id) values (2)')).toBe(515)
    expect(await numberOf('commit')).toBe(3902)
    expect(await numberOf('rollback')).toBe(3903)
    expect(await numberOf('save tran x')).toBe(628)
    expect(await numberOf('select @nobody')).toBe(137)
    expect(await numberOf('exec nothing')).toBe(2812)
    expect(await numberOf('select 1/0')).toBe(8134)
    expect(await numberOf("raiserror('mine', 16, 3)")).toBe(50_000)
    expect(await numberOf("throw 50123, 'mine', 1")).toBe(50_123)
    expect(await ask(connection, 'select @@trancount as n')).toEqual([[0]])
  })

  test('an error of a statement leaves the batch and the transaction going, unless XACT_ABORT is on', async () => {
    const connection = await tediousClient()
    await ask(connection, 'create table t (id int primary key)')
    const twice = 'insert into t values (1); insert into t values (1); insert into t values (2)'
    await expect(ask(connection, `begin tran; ${twice}; commit`)).rejects.toMatchObject({ number: 2627 })
    expect(await ask(connection, 'select id from t')).toEqual([[1], [2]])
    await ask(connection, 'delete from t')
    await expect(ask(connection, `set xact_abort on; begin tran; ${twice}; commit`)).rejects.toMatchObject({
      number: 2627,
    })
    expect(await ask(connection, 'select count(*) as n, @@trancount as t from t')).toEqual([[0, 0]])
  })

  test('a doomed transaction can be looked at, but not written to or committed', async () => {
    const connection = await tediousClient()
    await ask(connection, 'create table t (id int primary key)')
    const doomed = `set xact_abort on; begin tran; insert into t values (1)
      begin try insert into t values (1) end try
      begin catch select xact_state() as state, error_number() as number; rollback end catch
      select @@trancount as n`
    expect(await ask(connection, doomed)).toEqual([[-1, 2627], [0]])
    const kept = `begin tran; begin try select cast('x' as int) end try begin catch select xact_state() as s end catch`
    await expect(ask(connection, kept)).rejects.toMatchObject({ number: 3998 })
    const written = `begin tran; begin try insert into t values (2); throw 51000, 'x', 1 end try
      begin catch insert into t values (3) end catch; commit`
    await expect(ask(connection, `set xact_abort on; ${written}`)).rejects.toThrow()
    expect(await ask(connection, 'select count(*) as n from t')).toEqual([[0]])
  })

  test('savepoints, nested BEGINs and the names of transactions are as in T-SQL', async () => {
    const connection = await tediousClient()
    await ask(connection, 'create table t (id int primary key)')
    await ask(
      connection,
      `begin tran outermost; insert into t values (1); save tran a; insert into t values (2)
       begin tran; insert into t values (3); rollback tran a; insert into t values (4); commit; commit tran outermost`,
    )
    expect(await ask(connection, 'select id from t order by id desc')).toEqual([[4], [1]])
    await ask(connection, 'begin tran whole; delete from t; rollback tran whole')
    expect(await ask(connection, 'select count(*) as n from t')).toEqual([[2]])
  })

  test('readers wait for writers, or look past them, as their isolation says', async () => {
    const [writer, reader] = [await tediousClient(), await tediousClient()]
    await ask(writer, "create table t (id int primary key, note varchar(9)); insert into t values (1, 'old')")
    await ask(writer, "begin tran; update t set note = 'new' where id = 1")
    const read = 'select note from t where id = 1'
    await expect(ask(reader, `set lock_timeout 20; ${read}`)).rejects.toMatchObject({ number: 1222 })
    expect(await ask(reader, `select note from t with (nolock)`)).toEqual([['new']])
    await ask(reader, 'set lock_timeout -1; set transaction isolation level snapshot; begin tran')
    expect(await ask(reader, read)).toEqual([['old']])
    await ask(writer, 'commit')
    expect(await ask(reader, read)).toEqual([['old']])
    await expect(ask(reader, "update t set note = 'mine' where id = 1")).rejects.toMatchObject({
      number: 3960,
    })
    expect(await ask(reader, `select @@trancount as n; ${read}`)).toEqual([[0], ['new']])
  })

  test('of two who wait for each other one is the victim, and its whole transaction is gone', async () => {
    const [a, b] = [await tediousClient(), await tediousClient()]
    await ask(a, 'create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)')
    await ask(a, 'begin tran; update t set n = 1 where id = 1')
    await ask(b, 'begin tran; update t set n = 1 where id = 2')
    const crossing = 'update t set n = 2 where id = 2; commit'
    const waits = ask(a, crossing)
    await heard(crossing)
    await expect(ask(b, 'update t set n = 2 where id = 1')).rejects.toMatchObject({ number: 1205 })
    await waits
    expect(await ask(b, 'select @@trancount as n')).toEqual([[0]])
    expect(await ask(b, 'select n from t')).toEqual([[1], [2]])
  })

  test('KILL ends a session and tells it', async () => {
    const [killer, victim] = [await tediousClient(), await tediousClient()]
    const [[spid] = []] = await ask(victim, 'select @@spid as spid')
    const running = ask(victim, delay(60_000)).catch((error) => error)
    await heard(delay(60_000))
    await ask(killer, `kill ${spid}`)
    expect(await running).toMatchObject({ number: 596, class: 21 })
    await expect(ask(killer, `kill ${spid}`)).rejects.toMatchObject({ number: 6106 })
    expect(used.server.sessions()).toBe(1)
  })
})

describe('for mssql', () => {
  async function mssqlPool() {
    const { host, port } = used.server
    const pool = new mssql.ConnectionPool({
      server: host,
      port,
      user: 'sa',
      password: 'secret',
      options: { encrypt: false, trustServerCertificate: true },
      requestTimeout: 2_000,
    })
    onTestFinished(async () => {
      await pool.close()
    })
    return pool.connect()
  }

  test('queries, inputs, outputs and prepared statements work', async () => {
    const pool = await mssqlPool()
    const { recordset } = await pool
      .request()
      .input('a', 5)
      .input('b', 'text')
      .query('select @a as a, @b as b')
    expect(recordset[0]).toEqual({ a: 5, b: 'text' })
    const { output } = await pool.request().output('x', mssql.Int).query('set @x = 42')
    expect(output).toEqual({ x: 42 })
    const statement = new mssql.PreparedStatement(pool)
    statement.input('n', mssql.Int)
    await statement.prepare('select @n * 2 as twice')
    for (const n of [1, 21]) expect((await statement.execute({ n })).recordset[0]).toEqual({ twice: n * 2 })
    await statement.unprepare()
    expect(says().some((text) => text.startsWith('sp_unprepare'))).toBe(true)
  })

  test('transactions commit and roll back', async () => {
    const pool = await mssqlPool()
    await pool.request().batch('create table t (id int primary key)')
    for (const end of ['commit', 'rollback'] as const) {
      const transaction = new mssql.Transaction(pool)
      await transaction.begin(mssql.ISOLATION_LEVEL.SERIALIZABLE)
      await new mssql.Request(transaction).query(`insert into t values (${end.length})`)
      await transaction[end]()
    }
    expect((await pool.request().query('select id from t')).recordset).toEqual([{ id: 6 }])
  })

  test('a request past its time is cancelled, and its connection goes on', async () => {
    const pool = await mssqlPool()
    await expect(pool.request().query(delay(60_000))).rejects.toMatchObject({ code: 'ETIMEOUT' })
    expect((await pool.request().query('select 1 as one')).recordset).toEqual([{ one: 1 }])
    expect(used.server.sessions()).toBe(1)
  })

  test('a wrong password is said so', async () => {
    const { host, port } = used.server
    const wrong = new mssql.ConnectionPool({
      server: host,
      port,
      user: 'sa',
      password: 'no',
      options: { encrypt: false },
    })
    await expect(wrong.connect()).rejects.toMatchObject({ code: 'ELOGIN' })
  })
})

describe('for FreeTDS', () => {
  needs(hasFreetds, NO_FREETDS)

  function tsql(script: string, password = 'secret'): Promise<{ out: string; err: string }> {
    const { host, port } = used.server
    return new Promise((resolve) => {
      const args = ['-H', host, '-p', String(port), '-U', 'sa', '-P', password]
      const env = { ...process.env, TDSVER: '7.4' }
      const child = execFile('tsql', args, { env }, (_, out, err) => resolve({ out, err }))
      child.stdin?.end(`${script}\nquit\n`)
    })
  }

  test('values and nulls are read as they were written', async () => {
    const { out } = await tsql(
      `create table t (id int primary key, note nvarchar(50), price decimal(10,2), at datetime2(0), raw varbinary(4))\ngo
       insert into t values (1, N'häß', 12.50, '2024-02-29 12:00:00', 0x00ff), (2, null, null, null, null)\ngo
       select * from t order by id\ngo`,
    )
    expect(out).toMatch(/1\thäß\t12\.50\t.*2024.*\t00ff/i)
    expect(out).toMatch(/2\tNULL\tNULL\tNULL\tNULL/)
    expect(out).toMatch(/\(2 rows affected\)/)
  })

  test('errors, transactions and several results in one batch are understood', async () => {
    const { out, err } = await tsql(
      `create table t (id int primary key)\ngo
       begin tran insert into t values (1) select @@trancount as open_ rollback select count(*) as n from t\ngo
       select * from nowhere\ngo
       print 'still here'\ngo`,
    )
    expect(out).toMatch(/open_\n1\n[\s\S]*n\n0\n/)
    expect(err).toMatch(/Msg 208 \(severity 16[\s\S]*Invalid object name 'nowhere'/)
    expect(out + err).toMatch(/still here/)
  })

  test('a refused login is understood', async () => {
    expect((await tsql('select 1\ngo', 'wrong')).err).toMatch(/Msg 18456[\s\S]*Login failed for user 'sa'/)
  })
})

describe('on the wire', () => {
  /** A client that says what it is told to, byte for byte. */
  class RawClient {
    readonly #socket: Socket
    #received = Buffer.alloc(0)

    constructor(socket: Socket) {
      this.#socket = socket
      socket.on('data', (chunk) => {
        this.#received = Buffer.concat([this.#received, chunk])
        socket.emit('more')
      })
    }

    send(type: number, body: Buffer, status = 1): void {
      const header = Buffer.from([type, status, 0, 0, 0, 0, 1, 0])
      header.writeUInt16BE(body.length + 8, 2)
      this.#socket.write(Buffer.concat([header, body]))
    }

    batch(sql: string, status = 1): void {
      const headers = Buffer.from('160000001200000002000000000000000000' + '01000000', 'hex')
      this.send(1, Buffer.concat([headers, Buffer.from(sql, 'utf16le')]), status)
    }

    /** The bodies of one whole message. */
    async message(): Promise<Buffer> {
      const bodies: Buffer[] = []
      for (;;) {
        while (this.#received.length < 8 || this.#received.length < this.#received.readUInt16BE(2))
          await once(this.#socket, 'more')
        const length = this.#received.readUInt16BE(2)
        bodies.push(this.#received.subarray(8, length))
        const isLast = (this.#received.readUInt8(1) & 1) === 1
        this.#received = this.#received.subarray(length)
        if (isLast) return Buffer.concat(bodies)
      }
    }
  }

  async function rawClient(): Promise<RawClient> {
    const socket = connect(used.server.port, used.server.host)
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    const client = new RawClient(socket)
    client.send(18, Buffer.from([0xff]))
    await client.message()
    client.send(16, loginBody())
    await client.message()
    return client
  }

  function loginBody(): Buffer {
    const fixed = Buffer.alloc(94)
    fixed.writeUInt32LE(0x74000004, 4)
    fixed.writeUInt32LE(4096, 8)
    const user = Buffer.from('sa', 'utf16le')
    const password = Buffer.from(
      Buffer.from('secret', 'utf16le').map((byte) => (((byte << 4) | (byte >> 4)) & 0xff) ^ 0xa5),
    )
    fixed.writeUInt16LE(94, 40)
    fixed.writeUInt16LE(2, 42)
    fixed.writeUInt16LE(94 + user.length, 44)
    fixed.writeUInt16LE(6, 46)
    const body = Buffer.concat([fixed, user, password])
    body.writeUInt32LE(body.length, 0)
    return body
  }

  /** The DONE token at the end of a message. */
  const done = (message: Buffer) => ({
    token: message.at(-13),
    status: message.readUInt16LE(message.length - 12),
    rest: message.length - 13,
  })
  const ATTENTION = 0x20
  const ERROR = 0x02

  test('an attention ends the response in a message of its own, and is then acknowledged', async () => {
    const client = await rawClient()
    client.batch(delay(60_000))
    client.send(6, Buffer.alloc(0))
    expect(done(await client.message())).toEqual({ token: 0xfd, status: ERROR, rest: 0 })
    expect(done(await client.message())).toEqual({ token: 0xfd, status: ATTENTION, rest: 0 })
    client.batch('select 1 as one')
    expect(done(await client.message()).status).toBe(0x10)
  })

  test('an attention that comes after the response is acknowledged all the same', async () => {
    const client = await rawClient()
    client.batch('select 1 as one')
    await client.message()
    client.send(6, Buffer.alloc(0))
    expect(done(await client.message())).toEqual({ token: 0xfd, status: ATTENTION, rest: 0 })
  })

  test('a request with the ignore bit is answered by a single DONE with an error, and not executed', async () => {
    const client = await rawClient()
    client.batch('create table t (id int)', 0x03)
    expect(done(await client.message())).toEqual({ token: 0xfd, status: ERROR, rest: 0 })
    client.batch('select * from t')
    expect(done(await client.message()).status & ERROR).toBe(ERROR)
  })

  const ENVCHANGE_RESET = Buffer.from([0xe3, 3, 0, 18, 0, 0])

  test('either reset flag makes the session forget, and is acknowledged first', async () => {
    const client = await rawClient()
    const state = "select concat('t=', @@lock_timeout, ' o=', isnull(object_id('#t'), 0)) as state"
    for (const [flag, reset] of [
      [0x08, 'full'],
      [0x10, 'keeping the transaction'],
    ] as const) {
      client.batch(`set lock_timeout 5; create table #t (id int); ${state}`)
      expect((await client.message()).includes(Buffer.from('t=5 o=4', 'utf16le'))).toBe(true)
      client.batch(state, 0x01 | flag)
      const answer = await client.message()
      expect(answer.subarray(0, 6)).toEqual(ENVCHANGE_RESET)
      expect(answer.includes(Buffer.from('t=-1 o=0', 'utf16le'))).toBe(true)
      expect(used.server.log.at(-1)?.reset).toBe(reset)
    }
  })

  test('a transaction in a session that is reset is told as rolled back, unless it is kept', async () => {
    const client = await rawClient()
    client.batch('begin tran')
    const begun = await client.message()
    expect(begun[3]).toBe(8)
    const withDescriptor = (sql: string, status: number) => {
      const headers = Buffer.from('16000000120000000200', 'hex')
      const descriptor = begun.subarray(5, 13)
      const text = Buffer.from(sql, 'utf16le')
      client.send(1, Buffer.concat([headers, descriptor, Buffer.from([1, 0, 0, 0]), text]), status)
    }
    withDescriptor('commit; begin tran', 0x01 | 0x10)
    const kept = await client.message()
    expect(kept.includes(Buffer.from([0xe3, 11, 0, 9, 0, 8]))).toBe(true)
    client.batch('select 1 as one', 0x01 | 0x08)
    const rolledBack = await client.message()
    expect(rolledBack[3]).toBe(10)
  })
})
