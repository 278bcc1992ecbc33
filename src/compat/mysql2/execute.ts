import type { PoolConnection } from 'mysql2'
import type { Settled } from './package.ts'

/** A server that has become read-only: an option, an Aurora that was demoted, a transaction. */
const READ_ONLY = new Set([1290, 1792, 1836])

export type LendCallback = (error: Error | null, connection?: PoolConnection) => unknown

/** Runs one prepared statement on a connection that is borrowed for it. Its callback may be missing, unlike in mysql2. */
export function executeOnce(lend: (callback: LendCallback) => void, given: readonly unknown[]): void {
  const [sql, ...rest] = given
  const callback = rest.find((one) => typeof one === 'function') as Settled | undefined
  const [params = []] = rest.filter((one) => typeof one !== 'function')
  const answer: Settled = callback ?? (() => undefined)
  lend((error, connection) => {
    if (error !== null || connection === undefined) return answer(error as never)
    const settle: Settled = (problem, ...rest) => {
      if (READ_ONLY.has(Number(problem?.errno))) connection.destroy()
      answer(problem, ...rest)
    }
    try {
      connection
        .execute(sql as string, params as never, settle as never)
        .once('end', () => connection.release())
    } catch (problem) {
      connection.release()
      answer(problem as never)
    }
    return undefined
  })
}
