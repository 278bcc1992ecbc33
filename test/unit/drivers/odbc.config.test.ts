import { describe, expect, test } from 'vitest'
import { resolveConfig, wordsOf } from '../../../src/drivers/odbc/config.ts'

describe('an ODBC connection string', () => {
  test('is what follows odbc:, byte for byte', () => {
    const { connectionString, loginTimeout } = resolveConfig('odbc:DSN=shop;Pwd=a%20b/c')
    expect(connectionString).toBe('DSN=shop;Pwd=a%20b/c')
    expect(loginTimeout).toBe(10)
  })

  test('tells the family by its driver', () => {
    const family = (driver: string) => resolveConfig(`odbc:Driver=${driver};Server=h`).family
    expect(family('{PostgreSQL Unicode}')).toBe('postgres')
    expect(family('{MariaDB Unicode}')).toBe('mysql')
    expect(family('MySQL ODBC 9.0 Unicode Driver')).toBe('mysql')
    expect(family('SQLite3')).toBe('sqlite')
    expect(family('{ODBC Driver 18 for SQL Server}')).toBe('sqlserver')
    expect(family('{FreeTDS}')).toBe(undefined)
  })

  test('gets the one time limit that MariaDB knows, unless it has one', () => {
    const text = (given: string) =>
      resolveConfig({ connectionString: given, loginTimeout: 3 }).connectionString
    expect(text('Driver={MariaDB Unicode};Server=h;')).toBe(
      'Driver={MariaDB Unicode};Server=h;CONN_TIMEOUT=3',
    )
    expect(text('Driver={MariaDB Unicode};conn_timeout=9')).toBe('Driver={MariaDB Unicode};conn_timeout=9')
    expect(text('Driver={PostgreSQL Unicode}')).toBe('Driver={PostgreSQL Unicode}')
  })

  test('has values in braces, in which everything is allowed', () => {
    const words = wordsOf(' Driver = {A;B}; Pwd={p;=}}w} ;UID= u ;; pwd=second')
    expect([...words]).toEqual([
      ['driver', 'A;B'],
      ['pwd', 'p;=}w'],
      ['uid', 'u'],
    ])
  })

  test.each([
    ['DSN=x', /does not begin with odbc:/],
    ['odbc:', /missing/],
    ['odbc:s3cret', /no list of name=value pairs/],
    ['odbc:Driver={Postgres;Pwd=s3cret', /no list of name=value pairs/],
    ['odbc:Pwd=s3cret\0', /zero byte/],
  ])('that is none is refused, and not shown: %j', (text, message) => {
    let thrown: Error | undefined
    try {
      resolveConfig(text)
    } catch (error) {
      thrown = error as Error
    }
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) })
    expect(thrown?.message).not.toContain('s3cret')
  })

  test.each([
    [undefined, 'config'],
    [{ connectionString: 'DSN=x', loginTimeout: 0 }, 'loginTimeout'],
    [{ connectionString: 'DSN=x', loginTimeout: 1.5 }, 'loginTimeout'],
    [{ connectionString: 'DSN=x', family: 'db2' }, 'family'],
    [{ connectionString: 'DSN=x', user: 'me' }, 'user'],
    [{ connectionString: 7 }, 'connectionString'],
  ])('with options that cannot be is refused by the name of the option: %j', (config, option) => {
    expect(() => resolveConfig(config as never)).toThrow(expect.objectContaining({ option }))
  })
})
