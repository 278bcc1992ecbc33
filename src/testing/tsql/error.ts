/** How much an error ends: the statement, the batch, the transaction with it, or the session. */
export type Reach = 'statement' | 'batch' | 'transaction' | 'session'

/** An error of SQL Server's, with its number and words. */
export class SqlError extends Error {
  readonly number: number
  readonly severity: number
  readonly state: number
  readonly line: number
  readonly reach: Reach

  constructor(
    number: number,
    message: string,
    facts: { severity?: number; state?: number; reach?: Reach; line?: number } = {},
  ) {
    super(message)
    this.number = number
    this.severity = facts.severity ?? 16
    this.state = facts.state ?? 1
    this.line = facts.line ?? 1
    this.reach = facts.reach ?? 'statement'
  }
}

/** A client has cancelled what it asked for: told by a DONE token, not as an error. */
export const CANCELLED = new Error('cancelled by an attention')

export const sqlErrors = {
  syntax: (near: string) =>
    new SqlError(102, `Incorrect syntax near '${near}'.`, { severity: 15, reach: 'batch' }),
  noTable: (name: string) => new SqlError(208, `Invalid object name '${name}'.`, { reach: 'batch' }),
  noColumn: (name: string) => new SqlError(207, `Invalid column name '${name}'.`, { reach: 'batch' }),
  noVariable: (name: string) =>
    new SqlError(137, `Must declare the scalar variable "${name}".`, { severity: 15, reach: 'batch' }),
  noFunction: (name: string) =>
    new SqlError(195, `'${name}' is not a recognized built-in function name.`, {
      severity: 15,
      reach: 'batch',
    }),
  noProcedure: (name: string) =>
    new SqlError(2812, `Could not find stored procedure '${name}'.`, { reach: 'batch' }),
  noHandle: (handle: number) =>
    new SqlError(8179, `Could not find prepared statement with handle ${handle}.`, { reach: 'batch' }),
  isThere: (name: string) =>
    new SqlError(2714, `There is already an object named '${name}' in the database.`, { reach: 'batch' }),
  cannotDrop: (name: string) =>
    new SqlError(
      3701,
      `Cannot drop the table '${name}', because it does not exist or you do not have permission.`,
      { severity: 11 },
    ),
  duplicate: (table: string, key: string) =>
    new SqlError(
      2627,
      `Violation of PRIMARY KEY constraint 'PK_${table}'. Cannot insert duplicate key in object 'dbo.${table}'. The duplicate key value is (${key}).`,
      { severity: 14 },
    ),
  notNull: (column: string, table: string) =>
    new SqlError(
      515,
      `Cannot insert the value NULL into column '${column}', table '${table}'; column does not allow nulls. INSERT fails.`,
    ),
  deadlock: (spid: number) =>
    new SqlError(
      1205,
      `Transaction (Process ID ${spid}) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.`,
      { severity: 13, state: 51, reach: 'transaction' },
    ),
  lockTimeout: () => new SqlError(1222, 'Lock request time out period exceeded.', { state: 51 }),
  snapshotConflict: (table: string) =>
    new SqlError(
      3960,
      `Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access table 'dbo.${table}' directly or indirectly to update, delete, or insert the row that has been modified or deleted by another transaction.`,
      { reach: 'transaction' },
    ),
  noTransaction: (word: 'COMMIT' | 'ROLLBACK') =>
    new SqlError(
      word === 'COMMIT' ? 3902 : 3903,
      `The ${word} TRANSACTION request has no corresponding BEGIN TRANSACTION.`,
    ),
  noSavepoint: (name: string) =>
    new SqlError(6401, `Cannot roll back ${name}. No transaction or savepoint of that name was found.`),
  noSaveOutside: () =>
    new SqlError(628, 'Cannot issue SAVE TRANSACTION when there is no active transaction.'),
  doomed: () =>
    new SqlError(
      3930,
      'The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.',
      { reach: 'batch' },
    ),
  doomedAtEnd: () =>
    new SqlError(
      3998,
      'Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.',
      { reach: 'batch' },
    ),
  otherTransaction: () =>
    new SqlError(3971, 'The server failed to resume the transaction.', { reach: 'batch' }),
  readOnly: (database: string) =>
    new SqlError(3906, `Failed to update database "${database}" because the database is read-only.`),
  noConversion: (value: string, type: string) =>
    new SqlError(245, `Conversion failed when converting the value '${value}' to data type ${type}.`, {
      reach: 'transaction',
    }),
  divideByZero: () => new SqlError(8134, 'Divide by zero error encountered.'),
  overflow: (type: string) =>
    new SqlError(8115, `Arithmetic overflow error converting expression to data type ${type}.`),
  truncated: () => new SqlError(2628, 'String or binary data would be truncated.'),
  killed: () =>
    new SqlError(596, 'Cannot continue the execution because the session is in the kill state.', {
      severity: 21,
      reach: 'session',
    }),
  noSession: (spid: number) => new SqlError(6106, `Process ID ${spid} is not an active process ID.`),
  killYourself: () => new SqlError(6104, 'Cannot use KILL to kill your own process.'),
  noDatabase: (name: string) =>
    new SqlError(911, `Database '${name}' does not exist. Make sure that the name is entered correctly.`, {
      reach: 'batch',
    }),
  cannotOpen: (name: string) =>
    new SqlError(4060, `Cannot open database "${name}" requested by the login. The login failed.`, {
      severity: 11,
    }),
  loginFailed: (user: string) =>
    new SqlError(18456, `Login failed for user '${user}'.`, { severity: 14, state: 8 }),
  tooMany: () =>
    new SqlError(
      17809,
      'Could not connect because the maximum number of user connections has already been reached.',
      { severity: 20 },
    ),
}
