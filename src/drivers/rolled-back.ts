import { TransactionError } from '../contract/errors.ts'

/** Refuses what would be committed by itself, statement by statement, because the server has ended the transaction. */
export function rolledBack(cause: unknown): TransactionError {
  return new TransactionError(
    'TRANSACTION_ABORTED',
    'the server has rolled the transaction back, because of an earlier error: roll back, or begin anew',
    { cause },
  )
}
