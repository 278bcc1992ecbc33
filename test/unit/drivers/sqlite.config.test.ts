import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../../src/drivers/sqlite/config.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import { createPool } from '../../../src/index.ts'

const invalid = (option: string) => expect.objectContaining({ code: 'INVALID_OPTION', option })

describe('URLs', () => {
  test.each([
    ['sqlite:app.db', resolve('app.db')],
    ['sqlite:./data/app.db', resolve('data/app.db')],
    ['sqlite:/var/app.db', '/var/app.db'],
    ['sqlite:///var/app.db', '/var/app.db'],
    ['sqlite://app.db', resolve('app.db')],
    ['sqlite:a%20b%3F.db', resolve('a b?.db')],
    ['sqlite::memory:', ':memory:'],
  ])('%s names the file %s', (url, file) => {
    expect(resolveConfig(url).file).toBe(file)
  })

  test('parameters are options and pragmas', () => {
    const url =
      'sqlite:app.db?mode=rw&threads=false&busyTimeoutMs=50&integers=bigint&synchronous=normal&cache_size=-64000'
    expect(resolveConfig(url)).toEqual({
      file: resolve('app.db'),
      isMemory: false,
      mode: 'rw',
      threads: false,
      busyTimeoutMs: 50,
      bigints: true,
      setup: [
        'pragma foreign_keys = 1',
        'pragma synchronous = normal',
        'pragma cache_size = -64000',
        'pragma journal_mode = wal',
      ],
    })
  })

  test.each([
    ['sqlite:', 'url'],
    ['sqlite:?mode=ro', 'url'],
    ['sqlite:%zz', 'url'],
    ['sqlite:app.db?mdoe=ro', 'mdoe'],
    ['sqlite:app.db?mode=read', 'mode'],
    ['sqlite:app.db?threads=maybe', 'threads'],
    ['sqlite:app.db?synchronous=off;drop', 'synchronous'],
    ['sqlite::memory:?mode=ro', 'mode'],
    ['sqlite::memory:?threads=true', 'threads'],
  ])('%s is refused, naming %s', (url, option) => {
    expect(() => sqlite(url)).toThrow(invalid(option))
  })

  test('createPool finds the driver by its scheme', async () => {
    const pool = createPool('sqlite::memory:?pool.max=3')
    expect([pool.name, pool.stats().max]).toEqual(['sqlite', 3])
    await pool.close()
  })
})

describe('configs', () => {
  test('defaults: threads, write-ahead log, foreign keys', () => {
    expect(resolveConfig({ file: '/x.db' })).toEqual({
      file: '/x.db',
      isMemory: false,
      mode: 'rwc',
      threads: true,
      busyTimeoutMs: 10_000,
      bigints: false,
      setup: ['pragma foreign_keys = 1', 'pragma journal_mode = wal'],
    })
  })

  test('what is only read keeps its journal', () => {
    expect(resolveConfig({ file: '/x.db', mode: 'ro' }).setup).toEqual(['pragma foreign_keys = 1'])
  })

  test.each([
    [{ file: '' }, 'file'],
    [{ file: 'x', fiel: 1 }, 'fiel'],
    [{ file: 'x', busyTimeoutMs: -1 }, 'busyTimeoutMs'],
    [{ file: 'x', pragmas: { synchronus: 'off' } }, 'synchronus'],
    [{ file: 'x', pragmas: { synchronous: '1; drop table x' } }, 'synchronous'],
    [undefined, 'config'],
    [5, 'config'],
  ])('%j is refused', (config, option) => {
    expect(() => sqlite(config as never)).toThrow(invalid(option))
  })
})

test('a library that is unknown is refused when it is needed', async () => {
  const pool = createPool(sqlite('sqlite::memory:', { module: 'sqlite3' as never }))
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'module' })
  await pool.close()
})
