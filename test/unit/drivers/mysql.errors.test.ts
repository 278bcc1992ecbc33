import { expect, test } from 'vitest'
import { InvalidOptionError, TransactionError } from '../../../src/contract/errors.ts'
import { cannotBegin, classify, isFarewell } from '../../../src/drivers/mysql-family/errors.ts'
import { toParameter } from '../../../src/drivers/mysql-family/values.ts'

const error = (facts: object) => Object.assign(new Error('x'), facts)

test.each([
  ['too many connections', { errno: 1040 }, 'exhausted'],
  ['too many for this user', { errno: 1203 }, 'exhausted'],
  ['a limit of the user', { errno: 1226 }, 'exhausted'],
  ['wrong password', { errno: 1045 }, 'permanent'],
  ['no right to the database', { errno: 1044 }, 'permanent'],
  ['no such database', { errno: 1049 }, 'permanent'],
  ['host not allowed', { errno: 1130 }, 'permanent'],
  ['a login method that the client lacks', { errno: 1251 }, 'permanent'],
  ['the same, said by mariadb', { errno: 45025 }, 'permanent'],
  ['the same, said by mysql2', { code: 'AUTH_SWITCH_PLUGIN_ERROR' }, 'permanent'],
  ['no TLS there', { code: 'HANDSHAKE_NO_SSL_SUPPORT' }, 'permanent'],
  ['a certificate nobody knows', { code: 'HANDSHAKE_SSL_ERROR', message: 'self-signed' }, 'permanent'],
  ['a certificate nobody knows', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'permanent'],
  ['cut off while TLS began', { code: 'HANDSHAKE_SSL_ERROR', message: 'read ECONNRESET' }, 'fatal'],
  ['nobody listens', { code: 'ECONNREFUSED', errno: -111 }, 'fatal'],
  ['no answer', { errno: 45012, fatal: true }, 'fatal'],
  ['the server shuts down', { errno: 1053 }, 'fatal'],
])('at connect, %s (%j) is %s', (_, facts, expected) => {
  expect(classify(error(facts), 'connect')).toBe(expected)
})

test.each([
  ['a deadlock', { errno: 1213, sqlState: '40001' }, 'conflict'],
  ['a lock not had in time', { errno: 1205 }, 'conflict'],
  ['a record changed since the snapshot', { errno: 1020 }, 'conflict'],
  ['--read-only', { errno: 1290 }, 'stale'],
  ['super_read_only', { errno: 1836 }, 'stale'],
  ['a read-only transaction', { errno: 1792 }, 'stale'],
  ['shutdown', { errno: 1053 }, 'fatal'],
  ['killed', { errno: 1927 }, 'fatal'],
  ['idle for too long', { errno: 4031 }, 'fatal'],
  ['closed by the server', { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }, 'fatal'],
  ['a reset socket', { code: 'ECONNRESET', errno: -104 }, 'fatal'],
  ['a closed connection of mysql2', { fatal: true }, 'fatal'],
  ['a closed connection of mariadb', { errno: 45013, fatal: true, sqlState: '08S01' }, 'fatal'],
  ['interrupted, which mariadb calls fatal', { errno: 1317, fatal: true, sqlState: '70100' }, 'statement'],
  ['a time limit of the server', { errno: 1969, fatal: true, sqlState: '70100' }, 'statement'],
  ['a duplicate key', { errno: 1062, sqlState: '23000' }, 'statement'],
  ['a syntax error', { errno: 1064, sqlState: '42000' }, 'statement'],
  ['something without any facts', {}, 'statement'],
])('of a statement, %s (%j) is %s', (_, facts, expected) => {
  expect(classify(error(facts), 'statement')).toBe(expected)
})

test('what is no error is classified too', () => {
  for (const thing of [undefined, null, 'text', 5]) expect(classify(thing, 'statement')).toBe('statement')
  expect(classify(undefined, 'connect')).toBe('fatal')
})

test('an impossible option is no reason to try again', () => {
  expect(classify(new InvalidOptionError('x', 'y'), 'connect')).toBe('permanent')
})

test('a transaction that a deadlock has ended is as worth repeating as the deadlock', () => {
  const aborted = (cause?: unknown) =>
    new TransactionError('TRANSACTION_ABORTED', 'x', cause === undefined ? {} : { cause })
  expect(classify(aborted(error({ errno: 1213 })), 'statement')).toBe('conflict')
  expect(classify(aborted(), 'statement')).toBe('statement')
})

test('only the words of the server itself are a farewell', () => {
  expect(isFarewell(error({ errno: 1053 }))).toBe(true)
  expect(isFarewell(error({ code: 'PROTOCOL_CONNECTION_LOST' }))).toBe(false)
})

test.each([
  ['select 1', true],
  ['  insert into t values (1)', true],
  ['select 1;', true],
  ['call p()', false],
  ['begin', false],
  ['select 1; begin', false],
  ["execute immediate 'begin'", false],
])('a failed %j cannot have begun a transaction: %s', (sql, expected) => {
  expect(cannotBegin(sql)).toBe(expected)
})

const date = new Date(0)
const raw = { toSqlString: () => 'now()' }

test.each([
  [undefined, null],
  [null, null],
  ['text', 'text'],
  [1.5, 1.5],
  [2n ** 63n, 2n ** 63n],
  [true, true],
  [date, date],
  [raw, raw],
  [[1, [2]], '[1,[2]]'],
  [{ password: 1 }, '{"password":1}'],
  [Object.create(null), '{}'],
  [new URL('http://h/'), 'http://h/'],
])('the parameter %o becomes one value', (given, expected) => {
  expect(toParameter(given)).toBe(expected)
})

test('bytes stay bytes, whatever holds them', () => {
  const bytes = Uint8Array.of(0, 1, 255)
  expect(toParameter(bytes)).toEqual(Buffer.from(bytes))
  expect(toParameter(new Uint8Array(bytes.buffer, 1, 1))).toEqual(Buffer.of(1))
  const buffer = Buffer.from(bytes)
  expect(toParameter(buffer)).toBe(buffer)
})
