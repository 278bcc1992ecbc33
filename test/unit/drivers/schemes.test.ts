import { expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { driverFor } from '../../../src/drivers/schemes.ts'

test.each(['postgres://h/db', 'postgresql://h/db', 'POSTGRES://h/db', new URL('postgres://h/db')])(
  '%s is for pg',
  (url) => {
    expect(driverFor(url).name).toBe('pg')
  },
)

test.each(['sqlserver://u:p@h;database=db', 'mssql://u:p@h:1433/db'])('%s is for tedious', (url) => {
  expect(driverFor(url).name).toBe('tedious')
})

test.each([
  ['mysql://u:p@h/db', 'mysql2'],
  ['mariadb://u:p@h/db', 'mariadb'],
])('%s is for %s, where both packages are installed', (url, name) => {
  expect(driverFor(url).name).toBe(name)
})

test.each([
  ['mongodb://u:S3cret@h/db', /begin with "mongodb:".*postgres:, postgresql:/],
  ['u:S3cret@h/db', /begin with "u:"/],
  ['constructor:x', /begin with "constructor:"/],
  ['//h/db S3cret', /does not begin with a scheme: known are postgres:/],
  ['', /is empty.*postgres:\/\//],
  ['   ', /is empty/],
  [undefined, /is undefined: it must be a text like postgres:\/\//],
  [5, /is 5/],
  [{ password: 'S3cret' }, /is an object/],
])('%j is refused, and the reason given', (url, message) => {
  const refused = () => driverFor(url as string)
  expect(refused).toThrow(InvalidOptionError)
  expect(refused).toThrow(message)
  expect(refused).not.toThrow(/S3cret/)
})
