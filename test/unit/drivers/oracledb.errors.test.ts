import { expect, test } from 'vitest'
import { InvalidOptionError, TransactionError } from '../../../src/contract/errors.ts'
import { classify, isFarewell } from '../../../src/drivers/oracledb/errors.ts'

const ora = (number: number) => {
  const code = `ORA-${String(number).padStart(5, '0')}`
  return Object.assign(new Error(`${code}: said so`), { code, errorNum: number })
}
const njs = (number: number, more = '') => {
  const code = `NJS-${String(number).padStart(3, '0')}`
  return Object.assign(new Error(`${code}: said so${more}`), { code })
}

test.each([
  [ora(1), 'statement'],
  [ora(942), 'statement'],
  [ora(54), 'statement'],
  [ora(1013), 'statement'],
  [ora(1456), 'statement'],
  [ora(60), 'conflict'],
  [ora(8177), 'conflict'],
  [ora(16000), 'stale'],
  [ora(28), 'fatal'],
  [ora(3113), 'fatal'],
  [ora(3114), 'fatal'],
  [ora(3135), 'fatal'],
  [ora(2396), 'fatal'],
  [njs(500), 'fatal'],
  [njs(503), 'fatal'],
  [njs(3), 'fatal'],
  [njs(123), 'statement'],
  [njs(123, '\nNJS-500: connection to the Oracle Database was broken'), 'fatal'],
  [njs(500, '\nORA-00028: killed'), 'fatal'],
  [new Error('DPI-1080: connection was closed by ORA-3113'), 'fatal'],
  [new TransactionError('TRANSACTION_ABORTED', 'gone', { cause: ora(60) }), 'conflict'],
  [new Error('anything'), 'statement'],
])('a failed statement: %#', (error, kind) => {
  expect(classify(error, 'statement')).toBe(kind)
})

test.each([
  [ora(1017), 'permanent'],
  [ora(28000), 'permanent'],
  [ora(1045), 'permanent'],
  [njs(518), 'permanent'],
  [njs(515), 'permanent'],
  [njs(101), 'permanent'],
  // The server wants what the package has not: a character set, encryption of Oracle's own.
  [njs(100), 'permanent'],
  [njs(533, '\nCause: ORA-12660'), 'permanent'],
  [njs(522), 'permanent'],
  [njs(524), 'permanent'],
  [ora(12516), 'exhausted'],
  [ora(12519), 'exhausted'],
  [ora(12520), 'exhausted'],
  [ora(20), 'exhausted'],
  [ora(18), 'exhausted'],
  [ora(2391), 'exhausted'],
  [njs(76), 'exhausted'],
  [ora(1033), 'fatal'],
  [ora(12528), 'fatal'],
  [njs(510), 'fatal'],
  [njs(503), 'fatal'],
  [njs(530), 'fatal'],
  [new InvalidOptionError('x', 'impossible'), 'permanent'],
  [new Error('anything'), 'fatal'],
])('a failed connect: %#', (error, kind) => {
  expect(classify(error, 'connect')).toBe(kind)
})

test('the last words of a session are told from a failure of the network', () => {
  expect(isFarewell(njs(500, '\nORA-00028: your session has been killed'))).toBe(true)
  expect(isFarewell(ora(1089))).toBe(true)
  expect(isFarewell(njs(500, '\nORA-03113: end-of-file'))).toBe(false)
})
