import { describe, expect, test } from 'vitest'
import { classify, codeOf } from '../../../src/drivers/sqlite/errors.ts'
import { bindable } from '../../../src/drivers/sqlite/params.ts'
import { isScript } from '../../../src/drivers/sqlite/script.ts'
import { isFast, learnRead, Texts } from '../../../src/drivers/sqlite/texts.ts'

describe('one statement or several', () => {
  test.each([
    'select 1',
    'select 1;',
    'select 1; -- done',
    "select ';' ; /* ; */ ",
    'select ";" from [a;b]',
    'create trigger t after insert on a begin update a set x = 1; delete from b; end',
    'create temp trigger t after insert on a begin update a set x = 1; end;',
    ';;select 1',
  ])('one: %s', (text) => {
    expect(isScript(text)).toBe(false)
  })

  test.each([
    'select 1; select 2',
    'begin; insert into a values (1); commit',
    "insert into a values (';'); drop table a;",
    'create trigger t after insert on a begin update a set x = 1; end; select 1',
    'create table trigger_log (a); create table b (a)',
  ])('several: %s', (text) => {
    expect(isScript(text)).toBe(true)
  })
})

describe('what the calling thread may run', () => {
  const learnt = (text: string, ...times: number[]) => {
    const facts = new Texts().look(text)
    for (const ms of times) learnRead(facts, ms, false)
    return facts
  }

  test('nothing that has not been fast twice', () => {
    expect(isFast(learnt('select 1'))).toBe(false)
    expect(isFast(learnt('select 1', 0.01))).toBe(false)
    expect(isFast(learnt('select 1', 0.01, 0.01))).toBe(true)
  })

  test('a slow start is forgotten, a slow text stays away', () => {
    expect(isFast(learnt('select 1', 0.5, ...Array(10).fill(0.01)))).toBe(true)
    expect(isFast(learnt('select 1', ...Array(10).fill(0.2)))).toBe(false)
  })

  test('one that has held up everybody must prove itself the longer, the longer it took', () => {
    const facts = learnt('select 1', 0.01, 0.01)
    for (const [ms, runs] of [
      [6, 60],
      [500, 5000],
    ] as const) {
      learnRead(facts, ms, true)
      for (let i = 0; i < runs - 1; i++) learnRead(facts, 0.01, false)
      expect(isFast(facts)).toBe(false)
      learnRead(facts, 0.01, false)
      expect(isFast(facts)).toBe(true)
    }
  })

  test.each([
    'begin',
    'commit',
    'savepoint a',
    'pragma cache_size',
    'select * from temp.t',
    'select last_insert_rowid()',
    'select changes()',
    'insert into t values (1) returning id',
    'with a as (select 1) insert into t select * from a returning id',
  ])('never: %s', (text) => {
    expect(isFast(learnt(text, 0.01, 0.01, 0.01))).toBe(false)
  })

  test('no more texts are remembered than a thousand', () => {
    const texts = new Texts()
    const first = texts.look('select 0')
    for (let i = 1; i <= 1000; i++) texts.look(`select ${i}`)
    expect(texts.look('select 0')).not.toBe(first)
  })
})

describe('parameters', () => {
  test('what SQLite has a type for goes as it is', () => {
    const given = ['a', 1.5, null, -0]
    expect(bindable(given)).toBe(given)
    expect(bindable([2n ** 63n - 1n, -(2n ** 63n)])).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
  })

  test('truth values are numbers, undefined is null', () => {
    expect(bindable([true, false, undefined])).toEqual([1, 0, null])
  })

  test('a part of a large buffer travels alone', () => {
    const [bytes] = bindable([Buffer.alloc(10_000).subarray(5, 8)]) as [Uint8Array]
    expect([bytes.byteLength, bytes.buffer.byteLength]).toEqual([3, 3])
  })

  test.each([[new Date()], [{ a: 1 }], [Symbol('a')], [() => 1], [[1]]])('%s is refused', (value) => {
    expect(() => bindable([1, value])).toThrow(/^parameter 2 is /)
  })

  test('a bigint beyond 64 bits is refused', () => {
    expect(() => bindable([2n ** 63n])).toThrow(RangeError)
  })
})

describe('errors', () => {
  test.each([
    [{ code: 'SQLITE_CONSTRAINT_UNIQUE' }, 'SQLITE_CONSTRAINT'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 8 }, 'SQLITE_READONLY'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 517 }, 'SQLITE_BUSY_SNAPSHOT'],
    [{ code: 'SQLITE_BUSY', rawCode: 5 }, 'SQLITE_BUSY'],
    [{ code: 'ERR_SQLITE_ERROR', message: 'database is locked' }, 'SQLITE_BUSY'],
    [
      { message: 'ConnectionFailed("Unable to open connection to local database /x: 14")' },
      'SQLITE_CANTOPEN',
    ],
    [undefined, ''],
  ])('%j is %s', (error, code) => {
    expect(codeOf(error)).toBe(code)
  })

  test.each([
    [{ code: 'SQLITE_BUSY' }, 'conflict', 'fatal'],
    [{ errcode: 517 }, 'conflict', 'fatal'],
    [{ errcode: 26 }, 'fatal', 'permanent'],
    [{ errcode: 14 }, 'statement', 'permanent'],
    [{ code: 'SQLITE_READONLY' }, 'statement', 'permanent'],
    [{ errcode: 266 }, 'fatal', 'fatal'],
    [{ code: 'SQLITE_THREAD_ENDED' }, 'fatal', 'permanent'],
    [{ code: 'SQLITE_ERROR' }, 'statement', 'fatal'],
  ])('%j means %s to a statement and %s to a connect', (error, statement, connect) => {
    expect([classify(error, 'statement'), classify(error, 'connect')]).toEqual([statement, connect])
  })
})
