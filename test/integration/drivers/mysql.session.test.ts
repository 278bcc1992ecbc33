import { describe, expect, onTestFinished, test } from 'vitest'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { type AnyConnection, drivers, useMariadb } from '../../support/mysql-drivers.ts'

const used = useMariadb()

describe.each(drivers)('$name', ({ name, make }) => {
  function poolOf(options: PoolOptions<AnyConnection> = {}, config?: object) {
    const driver = make(config === undefined ? used.server.url() : { uri: used.server.url(), ...config })
    const pool = createPool(driver, { max: 2, ...options })
    onTestFinished(async () => {
      await pool.close({ drainTimeoutMs: 0 })
    })
    return { driver, pool }
  }

  async function tableOf(pool: ReturnType<typeof poolOf>['pool'], columns = 'id int primary key, note text') {
    const table = `t_${name}_${Math.random().toString(36).slice(2)}`
    await pool.query(`create table ${table} (${columns})`)
    return table
  }

  const first = (result: { rows: Record<string, unknown>[] }) => Object.values(result.rows[0] ?? {})[0]

  test("the user's own statements on the connection are seen", async () => {
    const { driver, pool } = poolOf()
    const table = await tableOf(pool)
    await pool.use(async ({ connection }) => {
      const seen: (boolean | undefined)[] = [driver.isDirty?.(connection)]
      const steps = [
        'begin',
        `insert into ${table} values (1, 'a')`,
        'select 1',
        'commit',
        'set autocommit = 0',
      ]
      for (const step of [...steps, `select * from ${table}`, 'commit']) {
        await connection.query(step)
        seen.push(driver.isDirty?.(connection))
      }
      expect(seen).toEqual([false, true, true, true, false, false, true, false])
      await connection.execute('select ?', [1])
      expect(driver.isDirty?.(connection)).toBe(false)
    })
  })

  test('a procedure that fails within a transaction of its own leaves none to the next user', async () => {
    const { driver, pool } = poolOf({ max: 1 })
    const table = await tableOf(pool)
    const procedure = `p_${table}`
    await pool.use(({ connection }) =>
      connection.query(
        `create procedure ${procedure}() begin start transaction; insert into ${table} values (1, 'a'); signal sqlstate '45000'; end`,
      ),
    )
    await pool.use(async (lease) => {
      await expect(lease.query(`call ${procedure}()`)).rejects.toThrow()
      expect(driver.isDirty?.(lease.connection), 'nobody knows').toBe(true)
    })
    expect(Number(first(await pool.query(`select count(*) from ${table}`)))).toBe(0)
    expect(pool.stats().created).toBe(1)
  })

  test('a failed read costs no reset', async () => {
    const { driver, pool } = poolOf()
    await pool.use(async (lease) => {
      await expect(lease.query('select nothing from nowhere')).rejects.toThrow()
      expect(driver.isDirty?.(lease.connection)).toBe(false)
    })
  })

  test('a transaction that a deadlock has ended neither goes on nor commits', async () => {
    const { pool } = poolOf()
    const table = await tableOf(pool)
    await pool.query(`insert into ${table} values (1, ''), (2, ''), (3, '')`)
    const other = await pool.acquire()
    await other.begin({ isolation: 'read committed' })
    await other.query(`update ${table} set note = 'other' where id < 9`) // more to undo: the other is chosen
    const seen: string[] = []
    const work = pool.transaction(async (tx) => {
      await tx.query(`insert into ${table} values (10, 'mine')`)
      const tell = (who: string) => (error: { errno: number }) => seen.push(`${who} ${error.errno}`)
      const mine = tx.query(`update ${table} set note = 'mine' where id = 1`).catch(tell('mine'))
      await other.query(`insert into ${table} values (10, 'other')`).catch(tell('other'))
      await mine
      await tx.query(`insert into ${table} values (11, 'alone')`).catch((error) => seen.push(error.code))
    })
    await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    await other.commit()
    other.release()
    expect(seen).toEqual(['mine 1213', 'TRANSACTION_ABORTED'])
    const { rows } = await pool.query(`select id from ${table} where id >= 10`)
    expect(rows.map(({ id }) => Number(id))).toEqual([10])
    expect(pool.stats().created).toBe(2)
  })

  test('a savepoint that a deadlock has taken along does not let its transaction go on', async () => {
    const { pool } = poolOf()
    const table = await tableOf(pool)
    await pool.query(`insert into ${table} values (1, ''), (2, ''), (3, '')`)
    const other = await pool.acquire()
    await other.begin({ isolation: 'read committed' })
    await other.query(`update ${table} set note = 'other' where id < 9`)
    const seen: string[] = []
    const tell = (error: { code: string }) => seen.push(error.code)
    const work = pool.transaction(async (tx) => {
      await tx.query('savepoint here')
      await tx.query(`insert into ${table} values (10, 'mine')`)
      const mine = tx.query(`update ${table} set note = 'mine' where id = 1`).catch(tell)
      await other.query(`insert into ${table} values (10, 'other')`).catch(tell)
      await mine
      await tx.query('rollback to savepoint here').catch(tell)
      await tx.query(`insert into ${table} values (11, 'alone')`).catch(tell)
    })
    await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    await other.rollback()
    other.release()
    expect(seen).toEqual(['ER_LOCK_DEADLOCK', 'TRANSACTION_ABORTED', 'TRANSACTION_ABORTED'])
    expect((await pool.query(`select id from ${table} where id >= 10`)).rows).toEqual([])
  })

  test('a nested transaction that a deadlock has ended costs no connection', async () => {
    const { pool } = poolOf()
    const deadlock = Object.assign(new Error('deadlock'), { errno: 1213 })
    const table = await tableOf(pool)
    await pool.query(`insert into ${table} values (1, ''), (2, ''), (3, '')`)
    const other = await pool.acquire()
    await other.begin({ isolation: 'read committed' })
    await other.query(`update ${table} set note = 'other' where id < 9`)
    const work = pool.transaction(async (tx) => {
      await tx.query(`insert into ${table} values (10, 'mine')`)
      await tx.transaction(async (inner) => {
        const mine = inner.query(`update ${table} set note = 'mine' where id = 1`)
        void other.query(`insert into ${table} values (10, 'other')`).catch(() => undefined)
        await mine
      })
    })
    await expect(work).rejects.toMatchObject({ errno: deadlock.errno })
    await other.rollback()
    other.release()
    expect(pool.stats().closed.destroyed).toBe(0)
  })

  test('a transaction within a transaction is refused, as MySQL would commit the first', async () => {
    const { pool } = poolOf({ multiplex: 'off' })
    await pool.use(async (lease) => {
      await lease.begin()
      await expect(lease.begin()).rejects.toMatchObject({ code: 'INVALID_OPTION' })
      await lease.rollback()
      await lease.begin()
    })
  })

  test('isolation and read-only hold for the one transaction', async () => {
    const { pool } = poolOf()
    const table = await tableOf(pool)
    await pool.query(`insert into ${table} values (1, '')`)
    const writes = (lockWaitS: number) =>
      pool.use(async (lease) => {
        await lease.query(`set innodb_lock_wait_timeout = ${lockWaitS}`)
        try {
          await lease.query(`update ${table} set note = concat(note, 'x')`)
          return true
        } catch (error) {
          expect(error).toMatchObject({ errno: 1205 })
          return false
        }
      })
    for (const [isolation, isFree] of [
      ['serializable', false],
      ['repeatable read', true],
      [undefined, true],
    ] as const) {
      await pool.transaction(
        async (tx) => {
          await tx.query(`select * from ${table}`)
          expect(await writes(1), `a read in ${isolation}`).toBe(isFree)
        },
        isolation === undefined ? {} : { isolation },
      )
    }
    const snapshot = pool.transaction(
      async (tx) => {
        await writes(1)
        return first(await tx.query(`select note from ${table}`))
      },
      { isolation: 'snapshot' },
    )
    expect(await snapshot).toBe('xx')
    const readOnly = pool.transaction((tx) => tx.query(`insert into ${table} values (9, '')`), {
      readOnly: true,
    })
    await expect(readOnly).rejects.toMatchObject({ errno: 1792 })
  })

  test('a full reset leaves the session as it was after connecting', async () => {
    const { pool } = poolOf({ max: 1, reset: 'full' })
    const facts = `select connection_id() as id, database() as db, @@sql_mode as mode, @@character_set_client as cs,
      @@character_set_results as rs, @@collation_connection as col, @@autocommit as ac, @mine as mine, @@time_zone as tz,
      is_free_lock('mine_${name}') as free, @@tx_isolation as iso`
    const before = (await pool.query(facts)).rows
    await pool.use(async ({ connection }) => {
      for (const sql of [
        'create temporary table passing (id int)',
        `select get_lock('mine_${name}', 0)`,
        'set @mine = 5, autocommit = 0, time_zone = "+05:00", sql_mode = ""',
        'set session transaction isolation level serializable',
        "prepare mine from 'select 1'",
        'set names latin1',
        'use elsewhere',
      ]) {
        await connection.query(sql)
      }
      await connection.execute('select ? + 1', [1])
    })
    expect((await pool.query(facts)).rows).toEqual(before)
    await pool.use(async ({ connection }) => {
      await expect(connection.query('select * from passing')).rejects.toMatchObject({ errno: 1146 })
      await expect(connection.query('execute mine')).rejects.toMatchObject({ errno: 1243 })
      for (const word of ['Grüße', '🦆']) {
        const answer = (await connection.execute('select ? as v', [word])) as unknown[]
        expect(JSON.stringify(answer)).toContain(word)
      }
    })
  })

  test('a full reset leaves no database where there was none', async () => {
    const driver = make(used.server.url({ database: '' }))
    const pool = createPool(driver, { max: 1, reset: 'full' })
    await pool.use(({ connection }) => connection.query('use app'))
    expect(first(await pool.query('select database()'))).toBeNull()
    // The mariadb package cannot leave a database: its connection is replaced.
    expect(pool.stats().created).toBe(name === 'mariadb' ? 2 : 1)
    await pool.close()
  })

  test('where backslashes are ordinary characters, a parameter is still one', async () => {
    const { pool } = poolOf({ max: 1 })
    const table = await tableOf(pool)
    await pool.use(async (lease) => {
      await lease.query("set sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES')")
      for (const [id, text] of ["\\'; drop table x; -- ", "\\' or 1 = 1 -- ", 'a\\nb', '"', "''"].entries()) {
        await lease.query(`insert into ${table} values (?, ?)`, [id, text])
        expect(first(await lease.query(`select note from ${table} where note = ?`, [text]))).toBe(text)
        const rows: unknown[] = []
        for await (const row of lease.stream(`select note from ${table} where note = ?`, [text]))
          rows.push(row)
        expect(rows).toEqual([{ note: text }])
      }
    })
  })

  test('arrays and objects are values, not parts of the text', async () => {
    const { pool } = poolOf()
    const table = await tableOf(pool)
    await pool.query(`insert into ${table} values (1, 'secret')`)
    for (const given of [{ note: 1 }, [1, 2], { toString: 1 }]) {
      expect((await pool.query(`select id from ${table} where note = ?`, [given])).rows).toEqual([])
      expect(first(await pool.query('select ? as v', [given]))).toBe(JSON.stringify(given))
    }
    expect(first(await pool.query('select ? as v', [undefined]))).toBeNull()
  })

  test('of several results the last one with rows counts', async () => {
    const { pool } = poolOf({}, { multipleStatements: true })
    const procedure = `several_${name}`
    await pool.use(({ connection }) =>
      connection.query(`create or replace procedure ${procedure}() begin select 1 as a; select 2 as b; end`),
    )
    const called = await pool.query(`call ${procedure}()`)
    expect(called.rows.map((row) => Number(row.b))).toEqual([2])
    expect(called.fields.map((field) => field.name)).toEqual(['b'])
    const several = await pool.query('set @x = 1; select 3 as c; set @x = 2')
    expect(several.rows.map((row) => Number(row.c))).toEqual([3])
    expect((await pool.query('set @x = 1; set @y = 2')).rows).toEqual([])
  })

  test('insertId is there only where a key was generated', async () => {
    const { pool } = poolOf()
    const table = await tableOf(pool, 'id bigint unsigned auto_increment primary key, note text')
    expect(await pool.query(`insert into ${table} (note) values ('a'), ('b')`)).toMatchObject({ rowCount: 2 })
    const { insertId } = await pool.query(`insert into ${table} values (9007199254740993, 'c')`)
    expect(String(insertId)).toBe('9007199254740993')
    expect(await pool.query(`update ${table} set note = 'c'`)).not.toHaveProperty('insertId')
    expect(
      await pool.query(`update ${table} set note = 'c'`),
      'matched, though nothing changed',
    ).toMatchObject({
      rowCount: 3,
    })
  })

  test('changedRows tells how many an update has really changed, where the package knows', async () => {
    const { pool } = poolOf()
    const table = await tableOf(pool)
    await pool.query(`insert into ${table} values (1, 'a'), (2, 'b')`)
    const { rowCount, changedRows } = await pool.query(`update ${table} set note = 'b'`)
    expect([rowCount, changedRows]).toEqual([2, name === 'mysql2' ? 1 : undefined])
    expect(pool.dialect).toBe('mysql')
  })
})
