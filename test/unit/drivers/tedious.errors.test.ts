import { expect, test } from 'vitest'
import { InvalidOptionError, TransactionError } from '../../../src/contract/errors.ts'
import { classify, isFarewell, isStalePlan, noteRefusal } from '../../../src/drivers/tedious/errors.ts'

const error = (facts: object) => Object.assign(new Error('x'), facts)

function refusal(number: number) {
  const refused = error({ code: 'ELOGIN' })
  noteRefusal(refused, number)
  return refused
}

test.each([
  ['wrong password', 18456, 'permanent'],
  ['no such database', 4060, 'permanent'],
  ['account locked', 18486, 'permanent'],
  ['firewall', 40615, 'permanent'],
  ['too many connections', 17809, 'exhausted'],
  ['too many sessions in this database', 10928, 'exhausted'],
  ['too many requests', 10929, 'exhausted'],
  ['the service is busy', 40501, 'exhausted'],
  ['the database moves', 40613, 'fatal'],
  ['only administrators for now', 18451, 'fatal'],
  ['the network', 17830, 'fatal'],
])('a login refused for "%s" (%i) is %s', (_, number, expected) => {
  expect(classify(refusal(number), 'connect')).toBe(expected)
})

test.each([
  ['nobody listens', { code: 'ESOCKET', cause: error({ code: 'ECONNREFUSED' }) }, 'fatal'],
  ['not in time', { code: 'ETIMEOUT' }, 'fatal'],
  [
    'a certificate nobody knows',
    { code: 'ESOCKET', cause: error({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }) },
    'permanent',
  ],
  [
    'another name in the certificate',
    { code: 'ESOCKET', cause: error({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }) },
    'permanent',
  ],
  ['a server that demands TLS', { code: 'EENCRYPT' }, 'permanent'],
  ['an instance that nobody knows', { code: 'EINSTLOOKUP' }, 'fatal'],
])('at connect, %s is %s', (_, facts, expected) => {
  expect(classify(error(facts), 'connect')).toBe(expected)
})

test('an option of ours that is impossible is permanent', () => {
  expect(classify(new InvalidOptionError('encrypt', 'x'), 'connect')).toBe('permanent')
})

test.each([
  ['a deadlock', { number: 1205, class: 13 }, 'conflict'],
  ['an overtaken snapshot', { number: 3960, class: 16 }, 'conflict'],
  ['a lock not had in time', { number: 1222, class: 16 }, 'conflict'],
  ['a conflict of tables in memory', { number: 41302 }, 'conflict'],
  ['a database that is read-only', { number: 3906, class: 16 }, 'stale'],
  ['a secondary replica', { number: 978 }, 'stale'],
  ['killed', { number: 596, class: 21 }, 'fatal'],
  ['something severe', { number: 823, class: 24 }, 'fatal'],
  ['the database moves', { number: 40613, class: 17 }, 'fatal'],
  ['the connection lost', { code: 'ESOCKET' }, 'fatal'],
  ['closed meanwhile', { code: 'ECLOSE' }, 'fatal'],
  ['reset', { code: 'ECONNRESET' }, 'fatal'],
  ['used after its end', { code: 'EINVALIDSTATE' }, 'fatal'],
  [
    'an attention without answer',
    { code: 'ETIMEOUT', message: 'Failed to cancel request in 5000ms' },
    'fatal',
  ],
  ['a statement that took too long', { code: 'ETIMEOUT', message: 'Timeout: Request failed' }, 'statement'],
  ['a cancelled statement', { code: 'ECANCEL' }, 'statement'],
  ['a duplicate key', { code: 'EREQUEST', number: 2627, class: 14 }, 'statement'],
  ['a mistake in the text', { number: 102, class: 15 }, 'statement'],
  ['a value that does not fit its type', { code: 'EPARAM' }, 'statement'],
])('of a statement, %s (%j) is %s', (_, facts, expected) => {
  expect(classify(error(facts), 'statement')).toBe(expected)
})

test('of several errors of one statement each counts', () => {
  const both = new AggregateError([error({ number: 3621 }), error({ number: 1205 })])
  expect(classify(both, 'statement')).toBe('conflict')
})

test('what ended a transaction decides whether another attempt is worth it', () => {
  const ended = (cause?: unknown) => new TransactionError('TRANSACTION_ABORTED', 'x', { cause })
  expect(classify(ended(error({ number: 1205 })), 'statement')).toBe('conflict')
  expect(classify(ended(), 'statement')).toBe('statement')
})

test("the server's last words are told from a failure of the network", () => {
  expect(isFarewell(error({ number: 596 }))).toBe(true)
  expect(isFarewell(error({ number: 6005 }))).toBe(true)
  expect(isFarewell(error({ code: 'ECONNRESET' }))).toBe(false)
  expect(isFarewell(undefined)).toBe(false)
})

test('an unknown handle is a stale plan', () => {
  expect(isStalePlan(error({ number: 8179 }))).toBe(true)
  expect(isStalePlan(error({ number: 208 }))).toBe(false)
})
