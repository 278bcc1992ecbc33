import { describe, expect, test } from 'vitest'
import { readText } from '../../../src/sql/text-reader.ts'

describe('the first word', () => {
  test.each([
    ['select 1', 'SELECT'],
    ['  \n\t select 1', 'SELECT'],
    ['((select 1))', 'SELECT'],
    [';; select 1', 'SELECT'],
    ['-- a\n-- b\nselect 1', 'SELECT'],
    ['-- nothing but a comment', ''],
    ['# of MySQL\nselect 1', 'SELECT'],
    ['#', ''],
    ['/* a */ /* b\n * c */select 1', 'SELECT'],
    ['/**/select', 'SELECT'],
    ['/* never ends select', ''],
    ['', ''],
    ['1 select', ''],
    ['- select', ''],
    ['_select 1', ''],
    ['SelecT', 'SELECT'],
    ['select2', 'SELECT'],
  ])('of %j is %j', (text, word) => {
    expect(readText(text).word).toBe(word)
  })
})

describe('a session of its own is needed', () => {
  const TRANSACTION = 'pool.transaction() or pool.use()'
  test.each([
    ['begin', TRANSACTION],
    ['begin;', TRANSACTION],
    ['begin  ;', TRANSACTION],
    ['begin\twork', TRANSACTION],
    ['begin tran', TRANSACTION],
    ['begin transaction', TRANSACTION],
    ['begin isolation level serializable', TRANSACTION],
    ['begin read only', TRANSACTION],
    ['begin not deferrable', TRANSACTION],
    ['begin deferrable', TRANSACTION],
    ['begin deferred', TRANSACTION],
    ['begin immediate', TRANSACTION],
    ['begin exclusive', TRANSACTION],
    ['begin concurrent', TRANSACTION],
    ['/* x */ start transaction', TRANSACTION],
    ['commit', TRANSACTION],
    ['abort', TRANSACTION],
    ['release savepoint a', TRANSACTION],
    ['unlisten *', 'pool.use()'],
    ['fetch next from c', 'pool.use()'],
    ['unlock tables', 'pool.use()'],
    ['handler t open', 'pool.use()'],
    ['declare c cursor for select 1', 'pool.use()'],
    ['declare c no scroll cursor with hold for select 1', 'pool.use()'],
  ])('by %j: use %s', (text, instead) => {
    const reading = readText(text)
    expect(reading.session).toEqual({ word: reading.word, instead })
    expect(reading).toMatchObject({ taints: false, onlyReads: false })
  })

  test.each([
    'begin dbms_output.enable',
    'declare @n int = 1; select @n',
    'declare @c cursor',
    'declare n number; begin n := 1; end;',
    'declare cursor c is select 1 from dual; begin null; end;',
    'begins',
    'begin workers',
    'select 1',
    'x begin',
    'update t set a = 1',
  ])('not by %j', (text) => {
    expect(readText(text).session).toBeUndefined()
  })
})

describe('the session is changed', () => {
  test.each([
    'set a to 1',
    'reset all',
    'deallocate p',
    'use other',
    'load x',
    'discard all',
    'exec p',
    'execute p',
    'attach x',
    'detach x',
    'pragma x',
    'create temp table t (id int)',
    'create TEMPORARY table t (id int)',
    'create or replace /* x */ temp view v as select 1',
    'create local temporary table t (id int)',
    'select 1 as a into temp t',
    'create table #t (id int)',
    'select a into ##t from u',
    "alter session set nls_date_format = 'x'",
    "select 1; set work_mem = '6MB'",
    'select 1;-- a\n listen x',
    'insert into t values (1);/* b */prepare p as select 1',
    'select set_config($1, $2, false)',
    'select advisory_lock(1)',
    'select pg_advisory_lock(1)',
    'select try_advisory_lock(1)',
    'select pg_try_advisory_lock_shared(1)',
    'select advisory_lock_shared(1)',
    "select get_lock('a', 1)",
    "select dblink_connect('a')",
  ])('by %j', (text) => {
    expect(readText(text)).toMatchObject({ taints: true, onlyReads: false })
  })

  test.each([
    'select temperature from t',
    'select temp from weather',
    "select * from sensors where kind = 'temporary'",
    'insert into temp values (1)',
    'create table temp (id int)',
    'select 1; select 2',
    'select 1; settle()',
    'alter table sessions add a int',
    'select a_temp from t',
    'select xset_config from t',
    'select set_configuration from t',
    'update t set a = 1',
    'select my_pg_advisory_locks from t',
  ])('not by %j', (text) => {
    expect(readText(text).taints).toBe(false)
  })
})

test('what only a later statement of the text would change is no reason to refuse it: it may stand in a quotation', () => {
  expect(readText('set a to 1')).toMatchObject({ taints: true, changesSession: true })
  expect(readText("insert into notes values ('; set a to 1')")).toMatchObject({
    taints: true,
    changesSession: false,
  })
})

describe('a statement only reads', () => {
  test.each([
    'select 1',
    'values (1), (2)',
    'table t',
    'with a as (select 1) select * from a',
    'select count(*) from t where id in (1, 2) and exists (select 1)',
    'select LOWER (name) from t',
    'select count(*), coalesce(max(a), 0) from t',
    'select a from t where (b = 1)',
    'select inserted, formula, forward, updater from t',
    'select locked from calls',
    'select cast(a as varchar(10)) from t',
    'select (1)',
    'select 1 +(2)',
  ])('%j', (text) => {
    expect(readText(text)).toMatchObject({ onlyReads: true, taints: false, session: undefined })
  })

  test.each([
    'insert into t values (1)',
    'delete from t',
    'select 1; select 2',
    'select @a := 1',
    'select a := 1',
    'select a from t for update',
    'select a into b from t',
    'with a as (insert into t values (1) returning id) select * from a',
    'with a as (update t set b = 1 returning id) select * from a',
    'with a as (delete from t returning id) select * from a',
    'with a as (merge into t using u on true) select 1',
    'select a from t lock in share mode',
    'table t for share',
    'explain select 1',
    'select my_function(1)',
    'select count(my_function(1))',
    'select my_function  (1)',
    'select app.count(*) from t',
    'select "count"(*) from t',
    'select `count`(1)',
    'select [count](1)',
    'select a.b.lower(c)',
    'select count2(1)',
    'select _count(1)',
    'selects 1',
    '',
  ])('but not %j', (text) => {
    expect(readText(text).onlyReads).toBe(false)
  })
})

test('a long text is read in one go, whatever stands in it', () => {
  const parts = ['/* a */', '/*', ';  ', '--\n', 'insert   ', 'create or replace ', "(1, 'x; y'), "]
  for (const first of ['into ', 'select 1;', 'create ', 'table ', 'alter ']) {
    for (const part of parts) expect(readText(first + part.repeat(20_000)).session).toBeUndefined()
  }
})
