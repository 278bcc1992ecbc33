import { describe, expect, test } from 'vitest'
import { DriverMissingError, InvalidOptionError } from '../../../src/contract/errors.ts'
import { classify, isStalePlan } from '../../../src/drivers/pg/errors.ts'

const failure = (facts: object) => Object.assign(new Error('x'), facts)
const said = (message: string) => new Error(message)

describe('an error of a statement', () => {
  test.each([
    [failure({ code: '23505', severity: 'ERROR' }), 'statement'],
    [failure({ code: '57014' }), 'statement'],
    [failure({ code: '25P02' }), 'statement'],
    [failure({ code: '53300' }), 'statement'],
    [said('Query read timeout'), 'statement'],
    [new TypeError('what the user passed makes no sense'), 'statement'],
    ['a text', 'statement'],
    [undefined, 'statement'],
    [failure({ code: '40001' }), 'conflict'],
    [failure({ code: '40P01' }), 'conflict'],
    [failure({ code: '25006' }), 'stale'],
    [failure({ code: '57P01', severity: 'FATAL' }), 'fatal'],
    [failure({ code: '57P02' }), 'fatal'],
    [failure({ code: '57P05' }), 'fatal'],
    [failure({ code: '25P03' }), 'fatal'],
    [failure({ code: '25P04' }), 'fatal'],
    [failure({ code: '08006' }), 'fatal'],
    [failure({ code: '08P01' }), 'fatal'],
    [failure({ code: '08P01', routine: 'exec_bind_message' }), 'statement'],
    [failure({ code: '08P01', routine: 'pq_getmsgend' }), 'statement'],
    [failure({ code: '08P01', routine: 'SocketBackend', severity: 'FATAL' }), 'fatal'],
    [failure({ code: 'XX000', severity: 'FATAL' }), 'fatal'],
    [failure({ code: 'ECONNRESET' }), 'fatal'],
    [failure({ code: 'EPIPE' }), 'fatal'],
    [failure({ code: 'ETIMEDOUT' }), 'fatal'],
    [said('Connection terminated'), 'fatal'],
    [said('Connection terminated unexpectedly'), 'fatal'],
    [said('Client was closed and is not queryable'), 'fatal'],
    [said('Client has encountered a connection error and is not queryable'), 'fatal'],
    [said('received invalid response: 4e'), 'fatal'],
  ])('%j is %s', (error, expected) => {
    expect(classify(error, 'statement')).toBe(expected)
  })
})

describe('an error of a connect', () => {
  test.each([
    [failure({ code: '28P01' }), 'permanent'],
    [failure({ code: '28000' }), 'permanent'],
    [failure({ code: '3D000' }), 'permanent'],
    [failure({ code: '42501' }), 'permanent'],
    [failure({ code: '42704' }), 'permanent'],
    [failure({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'permanent'],
    [failure({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), 'permanent'],
    [failure({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'permanent'],
    [failure({ code: 'CERT_HAS_EXPIRED' }), 'permanent'],
    [said('The server does not support SSL connections'), 'permanent'],
    [said('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'permanent'],
    [failure({ code: '08P01', message: 'no such database: x' }), 'permanent'],
    [new InvalidOptionError('port', 'x'), 'permanent'],
    [new DriverMissingError('pg'), 'permanent'],
    [failure({ code: '53300' }), 'exhausted'],
    [failure({ code: '08P01', message: 'no more connections allowed (max_client_conn)' }), 'exhausted'],
    [failure({ code: 'XX000', message: 'Max client connections reached' }), 'exhausted'],
    [failure({ code: '57P03' }), 'fatal'],
    [failure({ code: '57P01' }), 'fatal'],
    [failure({ code: 'ECONNREFUSED' }), 'fatal'],
    [failure({ code: 'ENOTFOUND' }), 'fatal'],
    [failure({ code: 'ENOENT' }), 'fatal'],
    [failure({ code: 'EAI_AGAIN' }), 'fatal'],
    [said('timeout expired'), 'fatal'],
    [said('Connection terminated unexpectedly'), 'fatal'],
    [said('the token service is down'), 'fatal'],
  ])('%j is %s', (error, expected) => {
    expect(classify(error, 'connect')).toBe(expected)
  })
})

test.each([
  [{ code: '26000' }, true],
  [{ code: '42P05' }, true],
  [{ code: '0A000', message: 'cached plan must not change result type' }, true],
  [{ code: '0A000', message: 'was übersetzt ist', routine: 'RevalidateCachedQuery' }, true],
  [{ code: '0A000', message: 'this is not supported' }, false],
  [{ code: '42601' }, false],
])('%j: the prepared statement is stale: %s', (facts, expected) => {
  expect(isStalePlan(failure(facts))).toBe(expected)
})
