import { runBatch } from '../tsql/batch.ts'
import type { Context } from '../tsql/context.ts'
import { SqlError, sqlErrors } from '../tsql/error.ts'
import { bind, call } from '../tsql/procedures.ts'
import type { Session } from '../tsql/session.ts'
import { INT, type Value } from '../tsql/value.ts'
import { ByteReader } from './bytes.ts'
import { MESSAGE, type Message } from './packet.ts'
import type { Response } from './response.ts'
import { type Call, type Parameter, readCalls, takeHeaders } from './rpc.ts'
import { descriptorOf } from './tokens.ts'

export interface Work {
  readonly session: Session
  readonly response: Response
  readonly signal: AbortSignal
}

/** What a message asks for, in words. */
export function describe({ type, body }: Message): string {
  const bytes = new ByteReader(body)
  if (type === MESSAGE.attention) return 'attention'
  takeHeaders(bytes)
  if (type === MESSAGE.batch) return bytes.text(bytes.left / 2)
  if (type === MESSAGE.transaction) return TRANSACTION[bytes.u16()] ?? 'unknown'
  return readCalls(bytes)
    .map(({ procedure, parameters }) => `${procedure} ${parameters.find(isStatement)?.plain ?? ''}`.trim())
    .join('; ')
}

const isStatement = ({ plain, type }: Parameter) => typeof plain === 'string' && type.name === 'nvarchar'

/** Does what a message asks for; what it throws has ended the session, or was cancelled. */
export async function answer(work: Work, message: Message): Promise<void> {
  const bytes = new ByteReader(message.body)
  const descriptor = takeHeaders(bytes)
  if (!isCurrent(work.session, descriptor)) return work.response.failed(sqlErrors.otherTransaction())
  if (message.type === MESSAGE.batch) return runBatch(contextOf(work, new Map()), bytes.text(bytes.left / 2))
  if (message.type === MESSAGE.transaction) return manage(work, bytes)
  for (const one of readCalls(bytes)) await perform(work, one)
}

/** A request names the transaction that it belongs to. */
function isCurrent({ transaction }: Session, descriptor: Buffer | undefined): boolean {
  return descriptor === undefined || descriptor.equals(descriptorOf(transaction?.id ?? 0))
}

function contextOf({ session, response, signal }: Work, variables: Map<string, Value>): Context {
  return { session, sink: response, signal, variables }
}

const TRANSACTION: Readonly<Record<number, string>> = { 5: 'begin', 7: 'commit', 8: 'rollback', 9: 'save' }

/** A request to the transaction manager. */
function manage({ session, response }: Work, bytes: ByteReader): void {
  const kind = TRANSACTION[bytes.u16()]
  const level = kind === 'begin' ? bytes.u8() : 0
  const name = bytes.left > 0 ? bytes.text(bytes.u8() / 2) : ''
  try {
    if (kind === 'begin') {
      if (level > 0) session.level = level
      session.begin(name)
    } else if (kind === 'commit') session.commit()
    else if (kind === 'save') session.save(name)
    else if (kind !== 'rollback') throw new SqlError(3969, 'Distributed transactions are not supported.')
    else if (name === '') session.rollback()
    else session.rollbackTo(name)
    response.done()
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    response.failed(error)
  }
}

async function perform(work: Work, { procedure, parameters }: Call): Promise<void> {
  const { response } = work
  response.isInProcedure = true
  let status = 0
  try {
    status = await runProcedure(work, procedure, parameters)
  } catch (error) {
    if (!(error instanceof SqlError) || error.reach === 'session') throw error
    response.failed(error)
    status = error.number
  }
  response.returned(status)
  response.isInProcedure = false
}

async function runProcedure(
  work: Work,
  procedure: string,
  parameters: readonly Parameter[],
): Promise<number> {
  const { session, response } = work
  const [first, second, third, ...rest] = parameters
  const handle = Number(first?.plain)
  const textOf = (given: Parameter | undefined) => String(given?.plain ?? '')
  switch (procedure) {
    case 'sp_executesql':
      await runInside(work, { text: textOf(first), declaration: textOf(second), given: parameters.slice(2) })
      return 0
    case 'sp_prepare':
    case 'sp_prepexec': {
      const made = session.prepare(textOf(third), textOf(second))
      const run = { text: textOf(third), declaration: textOf(second), given: rest }
      if (procedure === 'sp_prepexec') await runInside(work, run)
      response.output(0, { name: first?.name ?? '', type: INT, plain: made })
      return 0
    }
    case 'sp_execute': {
      const found = session.prepared.get(handle)
      if (found === undefined) throw sqlErrors.noHandle(handle)
      await runInside(work, { ...found, given: parameters.slice(1) })
      return 0
    }
    case 'sp_unprepare':
      if (!session.prepared.delete(handle)) throw sqlErrors.noHandle(handle)
      return 0
    case 'sp_reset_connection':
      session.reset({ keepsTransaction: false })
      return 0
    default:
      return callByName(work, procedure, parameters)
  }
}

interface Inside {
  readonly text: string
  readonly declaration: string
  readonly given: readonly Parameter[]
}

/** Temporary tables and settings made inside end with it. */
async function runInside(work: Work, { text, declaration, given }: Inside): Promise<void> {
  const { session, response } = work
  const [tables, options, { isolation }] = [
    new Set(session.temporary.keys()),
    new Map(session.options),
    session,
  ]
  const variables = bind(declaration, given)
  await runBatch(contextOf(work, variables), text)
  for (const name of session.temporary.keys()) if (!tables.has(name)) session.temporary.delete(name)
  session.options.clear()
  for (const [name, value] of options) session.options.set(name, value)
  session.isolation = isolation
  for (const [place, parameter] of given.entries()) {
    const value = variables.get(`@${parameter.name.toLowerCase()}`)
    if (parameter.isOutput && value !== undefined)
      response.output(place + 1, { ...value, name: parameter.name })
  }
}

function callByName(work: Work, procedure: string, parameters: readonly Parameter[]): Promise<number> {
  const args = parameters.map((parameter) => {
    const value = { kind: 'literal', value: parameter } as const
    return parameter.name === '' ? { value } : { name: `@${parameter.name.toLowerCase()}`, value }
  })
  return call(contextOf(work, new Map()), { kind: 'execute', procedure, args }, (text, variables) =>
    runBatch(contextOf(work, variables), text),
  )
}
