import { insert, remove, update } from './change.ts'
import { type Context, scopeOf } from './context.ts'
import { convert } from './conversion.ts'
import { addColumn, createTable, dropTables, truncate } from './define.ts'
import { SqlError, sqlErrors } from './error.ts'
import { evaluate, holds } from './evaluate.ts'
import { parse } from './parser.ts'
import { call } from './procedures.ts'
import { select, selected } from './select.ts'
import { setOption, waitFor } from './settings.ts'
import type { Statement } from './syntax.ts'
import type { Transaction } from './transaction.ts'
import { int, text } from './value.ts'

/** Thrown to leave a batch early, without an error. */
const RETURN = new Error('return')

/** Runs a text: what goes wrong is told to the client, but for what ends the session or was cancelled. */
export async function runBatch(context: Context, sql: string): Promise<void> {
  const { session, sink } = context
  try {
    await runAll(context, parse(sql))
  } catch (error) {
    if (error === RETURN) return
    if (!(error instanceof SqlError) || error.reach === 'session') throw error
    sink.failed(error)
  } finally {
    if (session.transaction?.isDoomed) {
      session.rollback()
      if (!context.signal.aborted) sink.failed(sqlErrors.doomedAtEnd())
    }
  }
}

async function runAll(context: Context, statements: readonly Statement[]): Promise<void> {
  for (const statement of statements) await runOne(context, statement)
}

/** An error ends what its reach says; less than a batch, and the next statement runs. */
async function runOne(context: Context, statement: Statement): Promise<void> {
  const { session, sink } = context
  context.signal.throwIfAborted()
  try {
    await run(context, statement)
    if (statement.kind !== 'if' && statement.kind !== 'block') session.lastError = 0
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    session.lastError = error.number
    if (isTrying.has(context)) throw error
    const isFatal = session.isOn('xact_abort') && error.number !== 50_000
    if ((isFatal || error.reach === 'transaction') && session.transaction !== undefined) session.rollback()
    if (isFatal || error.reach !== 'statement') throw error
    sink.failed(error)
  }
}

/** Contexts inside of a TRY block. */
const isTrying = new WeakSet<Context>()

async function run(context: Context, statement: Statement): Promise<void> {
  switch (statement.kind) {
    case 'block':
      return runAll(context, statement.body)
    case 'if':
      return branch(context, statement)
    case 'try':
      return attempt(context, statement)
    case 'return':
      throw RETURN
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'save':
      return control(context, statement)
    case 'select':
    case 'insert':
    case 'update':
    case 'delete':
    case 'createTable':
    case 'addColumn':
    case 'dropTable':
    case 'truncate':
      return change(context, statement)
    default:
      return command(context, statement)
  }
}

async function branch(context: Context, statement: Extract<Statement, { kind: 'if' }>): Promise<void> {
  const { condition, then, otherwise } = statement
  let isTrue = false
  if (condition.kind !== 'exists') isTrue = holds(condition, scopeOf(context))
  else {
    await inTransaction(context, async (transaction) => {
      for await (const _ of selected(context, condition.query, transaction)) {
        isTrue = true
        break
      }
    })
    isTrue = isTrue !== condition.isNot
  }
  if (isTrue) await runOne(context, then)
  else if (otherwise !== undefined) await runOne(context, otherwise)
}

/** What fails in a TRY block may doom the transaction, but does not end it. */
async function attempt(
  context: Context,
  { body, handler }: Extract<Statement, { kind: 'try' }>,
): Promise<void> {
  const { session } = context
  const inner = { ...context }
  isTrying.add(inner)
  try {
    await runAll(inner, body)
  } catch (error) {
    if (!(error instanceof SqlError) || error.reach === 'session') throw error
    const isDooming = session.isOn('xact_abort') || error.reach === 'transaction'
    if (isDooming && session.transaction !== undefined) session.transaction.isDoomed = true
    const before = session.caught
    session.caught = error
    await runAll(context, handler).finally(() => {
      session.caught = before
    })
  }
}

type Control = Extract<Statement, { kind: 'begin' | 'commit' | 'rollback' | 'save' }>

async function control({ session, sink, variables }: Context, { kind, name }: Control): Promise<void> {
  const given = name.startsWith('@') ? String(variables.get(name)?.plain) : name
  if (kind === 'begin') session.begin(given)
  else if (kind === 'commit') session.commit()
  else if (kind === 'save') session.save(given)
  else if (given === '') session.rollback()
  else session.rollbackTo(given)
  sink.done()
}

type Change = Extract<
  Statement,
  { kind: 'select' | 'insert' | 'update' | 'delete' | 'createTable' | 'addColumn' | 'dropTable' | 'truncate' }
>

async function change(context: Context, statement: Change): Promise<void> {
  const count = await inTransaction(context, (transaction) => {
    if (statement.kind === 'select') return select(context, statement, transaction)
    if (context.session.transaction?.isDoomed) throw sqlErrors.doomed()
    return changed(context, statement, transaction)
  })
  if (count !== undefined) context.session.rowCount = count
  context.sink.done(count)
}

async function changed(
  context: Context,
  statement: Exclude<Change, { kind: 'select' }>,
  transaction: Transaction,
): Promise<number | undefined> {
  if (statement.kind === 'insert') return insert(context, statement, transaction)
  if (statement.kind === 'update') return update(context, statement, transaction)
  if (statement.kind === 'delete') return remove(context, statement, transaction)
  if (statement.kind === 'createTable') await createTable(context, statement, transaction)
  else if (statement.kind === 'addColumn') await addColumn(context, statement, transaction)
  else if (statement.kind === 'dropTable') await dropTables(context, statement, transaction)
  else await truncate(context, statement.table, transaction)
  return undefined
}

/** In the session's transaction, or in one for this statement alone; what fails leaves nothing behind. */
async function inTransaction<T>(
  { session }: Context,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  if (session.transaction === undefined && session.isOn('implicit_transactions')) session.begin()
  const { transaction } = session
  const used = transaction ?? session.newTransaction()
  const mark = used.mark()
  try {
    const result = await work(used)
    if (transaction === undefined) used.commit()
    return result
  } catch (error) {
    if (transaction === undefined) used.rollback()
    else if (session.transaction === transaction) used.undoTo(mark)
    throw error
  }
}

type Command = Exclude<Statement, Change | Control | { kind: 'block' | 'if' | 'try' | 'return' }>

async function command(context: Context, statement: Command): Promise<void> {
  const { session, sink, variables } = context
  const found = (given: Parameters<typeof evaluate>[0]) => evaluate(given, scopeOf(context))
  switch (statement.kind) {
    case 'declare': {
      const value =
        statement.value === undefined ? { type: statement.type, plain: null } : found(statement.value)
      variables.set(statement.name, convert(value, statement.type))
      return
    }
    case 'assign': {
      const { type } = variables.get(statement.name) ?? {}
      if (type === undefined) throw sqlErrors.noVariable(statement.name)
      variables.set(statement.name, convert(found(statement.value), type))
      return
    }
    case 'set':
      return setOption(session, statement.option, statement.value)
    case 'waitfor':
      await waitFor(String(found(statement.delay).plain), context.signal)
      return sink.done()
    case 'use':
      if (!session.host.databases.has(statement.database.toLowerCase()))
        throw sqlErrors.noDatabase(statement.database)
      return session.use(statement.database)
    case 'kill':
      return kill(context, Number(found(statement.spid).plain))
    case 'print':
      return sink.info(new SqlError(0, String(found(statement.value).plain ?? ''), { severity: 0 }))
    case 'execute':
      return execute(context, statement)
    default:
      return raise(context, statement)
  }
}

function kill({ session, sink }: Context, spid: number): void {
  if (spid === session.spid) throw sqlErrors.killYourself()
  if (!session.host.kill(spid)) throw sqlErrors.noSession(spid)
  sink.done()
}

async function execute(context: Context, statement: Extract<Statement, { kind: 'execute' }>): Promise<void> {
  const result = await call(context, statement, (inside, variables) =>
    runAll({ ...context, variables }, parse(inside)),
  )
  if (statement.into !== undefined) context.variables.set(statement.into, int(result))
  context.sink.done()
}

/** RAISERROR and THROW; the second one without words throws again what was caught. */
function raise(context: Context, { kind, args }: Extract<Statement, { kind: 'raise' | 'throw' }>): void {
  const [first, second, third] = args.map((arg) => evaluate(arg, scopeOf(context)))
  if (kind === 'throw') {
    if (first === undefined) throw context.session.caught ?? sqlErrors.syntax('throw')
    const facts = { state: Number(third?.plain ?? 1), reach: 'batch' } as const
    throw new SqlError(Number(first.plain), String(second?.plain), facts)
  }
  const severity = Number(second?.plain ?? 16)
  const isText = typeof first?.plain === 'string'
  const message = String((isText ? first : text(`Error ${first?.plain} was raised.`)).plain)
  const error = new SqlError(isText ? 50_000 : Number(first?.plain), message, {
    severity,
    state: Number(third?.plain ?? 1),
  })
  if (severity > 10) throw error
  context.sink.info(error)
}
