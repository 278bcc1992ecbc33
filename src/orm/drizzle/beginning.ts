import { PoolBypassedError } from '../../contract/errors.ts'

/** What Drizzle says before a transaction's first statement, and nobody says outside of one. */
const BEGINNING = /^\s*(?:begin|start\s+transaction|set\s+transaction)\b/i

/** A statement as Drizzle gives it: a text, or an object that has it. */
type Statement = string | { readonly text?: unknown; readonly sql?: unknown } | null | undefined

/** Whether this statement begins a transaction, or is on the way there. */
export function begins(statement: unknown): boolean {
  const text = textOf(statement as Statement)
  if (typeof text !== 'string') return false
  // Nearly all begin otherwise, and are not looked at any further.
  const first = text.charCodeAt(0) | 32
  return (first === B || first === S || first === SPACE) && BEGINNING.test(text)
}

const B = 98
const S = 115
const SPACE = 32

function textOf(statement: Statement): unknown {
  if (typeof statement !== 'object' || statement === null) return statement
  return statement.text ?? statement.sql
}

/** A transaction of which each statement would run on whichever connection is free. */
export function unpinned(pool: string): PoolBypassedError {
  return new PoolBypassedError(
    pool,
    'Drizzle',
    'a transaction was begun on the pool instead of on a connection, so that its statements would be spread over several: this Drizzle does not take the client for a pool, or BEGIN was executed by hand. Use db.transaction(), with drizzle-orm 0.40 or later',
  )
}

/** A checkout on which a transaction is to begin. */
interface Client {
  query: (...args: never[]) => unknown
  release(): void
}

/**
 * Drizzle gives a connection back only when its transaction has begun: where that fails, it is given back here. From then on
 * a connection is as it was.
 */
export function untilBegun<C extends Client>(client: C, giveBack: () => void): C {
  const query = client.query as (...args: unknown[]) => unknown
  const watching = (...args: unknown[]) => {
    const result = Reflect.apply(query, client, args)
    if (begins(args[0])) (result as Promise<unknown>)?.then?.(undefined, giveBack)
    return result
  }
  client.query = watching
  return client
}
