import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { loadPackage } from '../../drivers/load-package.ts'

type OfError = new (error: Error) => Error

const NAMES = [
  'BackendTerminatedError',
  'BackendTerminatedUnexpectedlyError',
  'CheckExclusionConstraintViolationError',
  'CheckIntegrityConstraintViolationError',
  'ForeignKeyIntegrityConstraintViolationError',
  'IdleTransactionTimeoutError',
  'NotNullIntegrityConstraintViolationError',
  'StatementCancelledError',
  'StatementTimeoutError',
  'UniqueIntegrityConstraintViolationError',
] as const

/** What of the `slonik` package is used: the errors that its users catch. */
export type SlonikModule = Readonly<Record<(typeof NAMES)[number], OfError>> & {
  readonly ConnectionError: new (message: string, options: { cause: unknown }) => Error & { cause?: unknown }
  readonly InvalidInputError: new (message: string) => Error
  readonly InputSyntaxError: new (error: Error, query: Asked) => Error
}

/** The statement that went wrong. */
export interface Asked {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** The user's own copy, or the one that is found from here. @throws InvalidOptionError, DriverMissingError */
export function slonikOf(given: unknown): SlonikModule {
  const slonik = (given ?? loadPackage('slonik')) as Partial<SlonikModule>
  if (typeof slonik.BackendTerminatedError === 'function') return slonik as SlonikModule
  const problem = `"slonik" is ${show(given)}: it must be the "slonik" package, import * as slonik from 'slonik'`
  throw new InvalidOptionError('slonik', problem)
}

const BY_CODE: Readonly<Record<string, (typeof NAMES)[number]>> = {
  '23502': 'NotNullIntegrityConstraintViolationError',
  '23503': 'ForeignKeyIntegrityConstraintViolationError',
  '23505': 'UniqueIntegrityConstraintViolationError',
  '23514': 'CheckIntegrityConstraintViolationError',
  '23P01': 'CheckExclusionConstraintViolationError',
  '25P03': 'IdleTransactionTimeoutError',
  '57P01': 'BackendTerminatedError',
}

/** The server's function that refuses several statements, before it runs any. Its words are translated. */
const TWO_AT_ONCE = 'exec_parse_message'

/** An error of pg in the words of Slonik; without a statement it is one of the connection. */
export function toSlonik(
  slonik: SlonikModule,
  error: Error & { code?: unknown; routine?: unknown },
  asked?: Asked,
): Error {
  if (error instanceof slonik.ConnectionError) return error
  const { code, message, routine } = error
  const words = message.toLowerCase()
  if (words.includes('connection terminated unexpectedly'))
    return new slonik.BackendTerminatedUnexpectedlyError(error)
  if (words.includes('connection terminated')) return new slonik.BackendTerminatedError(error)
  if (typeof code !== 'string') return error
  if (code === '22P02') return new slonik.InvalidInputError(message)
  if (code === '42601' && routine === TWO_AT_ONCE)
    return new slonik.InvalidInputError('Must not use multiple statements in a single query.')
  if (code === '42601' && asked !== undefined) return new slonik.InputSyntaxError(error, asked)
  // The same code for both; only the words tell.
  if (code === '57014')
    return message.includes('canceling statement due to user request')
      ? new slonik.StatementCancelledError(error)
      : new slonik.StatementTimeoutError(error)
  const name = BY_CODE[code]
  return name === undefined ? error : new slonik[name](error)
}
