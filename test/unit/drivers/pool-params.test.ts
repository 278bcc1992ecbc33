import { expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { splitPoolParams } from '../../../src/drivers/pool-params.ts'

test.each([
  ['postgres://h/db?pool.max=20&x=1', 'postgres://h/db?x=1', { max: '20' }],
  ['postgres://h/db?x=1&pool.max=20', 'postgres://h/db?x=1', { max: '20' }],
  ['postgres://h/db?a=%2F&pool.max=20&&b=c+d', 'postgres://h/db?a=%2F&&b=c+d', { max: '20' }],
  ['postgres://h/db?pool.max=20&pool.min=2', 'postgres://h/db', { max: '20', min: '2' }],
  ['sqlite:a%20b.db?pool.name=main%20db', 'sqlite:a%20b.db', { name: 'main db' }],
  ['mysql://u:p@h/db?pool.max=1&pool.max=2', 'mysql://u:p@h/db', { max: '2' }],
  ['mysql://h?pool.max=5#top', 'mysql://h#top', { max: '5' }],
  ['oracle://h:1521/service?pool.idleOrder', 'oracle://h:1521/service', { idleOrder: '' }],
])('takes the pool parameters out of %s', (given, url, pool) => {
  expect(splitPoolParams(given)).toEqual({ url, pool })
})

test.each([
  'postgres://u:p%40ss@h/db?x=pool.max=1',
  'postgres://pool.max/db',
  'sqlite::memory:',
  'odbc:Driver={x};Pwd=a&b',
  '',
])('leaves %s as it is, byte for byte', (url) => {
  expect(splitPoolParams(url)).toEqual({ url, pool: {} })
})

test('a malformed value is refused', () => {
  expect(() => splitPoolParams('postgres://u:S3cret@h/db?pool.name=%zz')).toThrow(InvalidOptionError)
})

test('no name can reach the prototype', () => {
  const { pool } = splitPoolParams('postgres://h/db?pool.__proto__=1')
  expect(Object.keys(pool)).toEqual(['__proto__'])
})
