import { expect, test } from 'vitest'
import { InvalidOptionError, TransactionError } from '../../../src/contract/errors.ts'
import { classify, endsTransaction, hasNoRows, isFarewell } from '../../../src/drivers/odbc/errors.ts'

/** As the package throws them; states, numbers and messages as the drivers gave them. */
const failed = (state: string, code: number, message: string) =>
  Object.assign(new Error('[odbc] Error'), { odbcErrors: [{ state, code, message }] })
const ma = (state: string, code: number, message = 'said so') => failed(state, code, `[ma-3.1.15]${message}`)
const sqlite = (code: number) => failed('HY000', code, `[SQLite]said so (${code})`)
const tds = (state: string, code: number) => failed(state, code, '[FreeTDS][SQL Server]said so')
const pg = (words: string) => failed('08001', 101, `connection to server at "h", port 1 failed: ${words}`)

test.each([
  [failed('42703', 1, 'ERROR: no such column'), 'statement'],
  [failed('40001', 1, 'ERROR: could not serialize'), 'conflict'],
  [failed('40P01', 1, 'ERROR: deadlock detected'), 'conflict'],
  [failed('25006', 1, 'ERROR: read-only transaction'), 'stale'],
  [failed('57P01', 35, 'FATAL: terminating connection'), 'fatal'],
  [failed('57014', 1, 'ERROR: canceling statement'), 'statement'],
  [failed('08S01', 35, 'SQLExecDirect unable due to the connection lost'), 'fatal'],
  [failed('HY000', 8, 'internal SAVEPOINT failed'), 'fatal'],
  [
    failed('HY000', 1, 'server closed the connection unexpectedly;\nError while preparing parameters'),
    'fatal',
  ],
  [failed('HY000', 1, 'FATAL:  terminating connection due to administrator command'), 'fatal'],
  [failed('P0001', 1, 'ERROR: server closed the connection unexpectedly'), 'statement'],
  [ma('40001', 1213), 'conflict'],
  [ma('HY000', 1205), 'conflict'],
  [ma('HY000', 1290), 'stale'],
  [ma('HY018', 1317), 'statement'],
  [ma('08S01', 2013), 'fatal'],
  [ma('08003', 0), 'fatal'],
  [ma('42S02', 1146), 'statement'],
  [sqlite(5), 'conflict'],
  [sqlite(10), 'fatal'],
  [sqlite(19), 'statement'],
  [tds('40001', 1205), 'conflict'],
  [tds('HY000', 3906), 'stale'],
  [tds('42000', 2627), 'statement'],
  [new Error('Connection has already been closed!'), 'fatal'],
  [new TransactionError('TRANSACTION_ABORTED', 'gone', { cause: ma('40001', 1213) }), 'conflict'],
  [new Error('anything'), 'statement'],
])('a failed statement: %#', (error, kind) => {
  expect(classify(error, 'statement')).toBe(kind)
})

test.each([
  [pg('Connection refused'), 'fatal'],
  [pg('timeout expired'), 'fatal'],
  [pg('FATAL:  password authentication failed for user "x"'), 'permanent'],
  [pg('FATAL:  database "x" does not exist'), 'permanent'],
  [pg('FATAL:  sorry, too many clients already'), 'exhausted'],
  [pg('FATAL:  too many connections for role "few"'), 'exhausted'],
  [pg('FATAL:  the database system is starting up'), 'fatal'],
  [failed('01000', 0, `[unixODBC][Driver Manager]Can't open lib 'Nope' : file not found`), 'permanent'],
  [failed('IM002', 0, '[unixODBC][Driver Manager]Data source name not found'), 'permanent'],
  [ma('28000', 1045), 'permanent'],
  [ma('42000', 1049), 'permanent'],
  [ma('08004', 1040), 'exhausted'],
  [ma('42000', 1226), 'exhausted'],
  [ma('HY000', 2002), 'fatal'],
  [sqlite(14), 'permanent'],
  [tds('42000', 18456), 'permanent'],
  [new InvalidOptionError('x', 'impossible'), 'permanent'],
  [new Error('anything'), 'fatal'],
])('a failed connect: %#', (error, kind) => {
  expect(classify(error, 'connect')).toBe(kind)
})

test('only PostgreSQL says that it ends a session', () => {
  expect(isFarewell(failed('57P01', 35, 'FATAL: terminating connection'))).toBe(true)
  expect(isFarewell(ma('08S01', 2013))).toBe(false)
})

test('a deadlock ends the whole transaction, a lock wait timeout does not', () => {
  expect(endsTransaction(ma('40001', 1213))).toBe(true)
  expect(endsTransaction(ma('HY000', 1205))).toBe(false)
  expect(endsTransaction(tds('40001', 1205))).toBe(true)
  expect(endsTransaction(sqlite(5))).toBe(false)
})

test("an error without a reason is the package's word for a statement that changed nothing, and no other is", () => {
  const thrown = (message: string, odbcErrors: object[]) => Object.assign(new Error(message), { odbcErrors })
  expect(hasNoRows(thrown('[odbc] Error executing the statement', []))).toBe(true)
  expect(hasNoRows(thrown('[odbc] Error executing the statement', [{ state: '08S01' }]))).toBe(false)
  expect(hasNoRows(thrown('[odbc] Error closing the Statement', []))).toBe(false)
  expect(hasNoRows(new Error('[odbc] Error executing the statement'))).toBe(false)
})
