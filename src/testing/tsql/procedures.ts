import { type Context, lock, scopeOf } from './context.ts'
import { convert } from './conversion.ts'
import { Cursor } from './cursor.ts'
import { SqlError, sqlErrors } from './error.ts'
import { evaluate } from './evaluate.ts'
import { parseExpression } from './expression-parser.ts'
import { lockModeOf } from './session.ts'
import type { Statement } from './syntax.ts'
import type { SqlType, Value } from './value.ts'

/** `@p1 int, @p2 nvarchar(10) = N'x'`: what parameters are declared as. */
function declarations(text: string): { name: string; type: SqlType; fallback?: Value }[] {
  const cursor = new Cursor(text)
  if (cursor.current.kind === 'end') return []
  return cursor.list(() => {
    const name = cursor.variable()
    cursor.takes('as')
    const type = cursor.type()
    if (cursor.takes('=')) parseExpression(cursor)
    if (!cursor.takes('output')) cursor.takes('out')
    return { name, type }
  })
}

/** Given values as the declared parameters: by name, or in order. */
export function bind(declaration: string, given: readonly (Value & { name: string })[]): Map<string, Value> {
  const variables = new Map<string, Value>()
  for (const [index, { name, type }] of declarations(declaration).entries()) {
    const found = given.find((one) => `@${one.name.toLowerCase()}` === name) ?? given[index]
    if (found === undefined) {
      throw new SqlError(
        8178,
        `The parameterized query expects the parameter '${name}', which was not supplied.`,
        { reach: 'batch' },
      )
    }
    variables.set(name, convert(found, type))
  }
  return variables
}

type Execute = Extract<Statement, { kind: 'execute' }>

/** Runs a procedure that was called by a statement; gives its return value. */
export async function call(
  context: Context,
  statement: Execute,
  runInside: (text: string, variables: Map<string, Value>) => Promise<void>,
): Promise<number> {
  const args = statement.args.map(({ name, value }) => ({
    ...evaluate(value, scopeOf(context)),
    name: name?.replace(/^@/, '') ?? '',
  }))
  if (statement.procedure === 'sp_executesql') {
    const [text, declaration, ...rest] = args
    await runInside(String(text?.plain), bind(String(declaration?.plain ?? ''), rest))
    return 0
  }
  const named = (name: string, place: number) => args.find((arg) => arg.name === name) ?? args[place]
  const resource = String(named('resource', 0)?.plain)
  if (statement.procedure === 'sp_getapplock') {
    const wait = named('locktimeout', 3)?.plain
    return takeLock(context, {
      resource,
      mode: String(named('lockmode', 1)?.plain),
      wait: Number(wait ?? -1),
    })
  }
  if (statement.procedure !== 'sp_releaseapplock') throw sqlErrors.noProcedure(statement.procedure)
  context.session.host.locks.release(context.session, `application ${resource}`)
  return 0
}

/** 0: had at once; 1: after waiting; -1: not in time; -3: a deadlock. */
async function takeLock(
  { session, signal, ...rest }: Context,
  { resource, mode, wait }: { resource: string; mode: string; wait: number },
): Promise<number> {
  const thing = `application ${resource}`
  const isFree = session.canLock(resource, mode)
  if (!isFree && wait === 0) return -1
  try {
    await lock({ session, signal, ...rest }, session, { thing, mode: lockModeOf(mode) })
    return isFree ? 0 : 1
  } catch (error) {
    if (error instanceof SqlError) return error.number === 1205 ? -3 : -1
    throw error
  }
}
