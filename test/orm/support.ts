import { expect } from 'vitest'
import { eventually } from '../support/postgres.ts'

/** The error of what must fail. */
export function errorOf(promise: PromiseLike<unknown>): Promise<Error & { code?: string }> {
  return Promise.resolve(promise).then(
    (value) => expect.unreachable(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )
}

/** When the next connection is lent: whoever looks at the numbers for it may look too late. */
export function nextLent(pool: { once(event: 'acquire', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => pool.once('acquire', resolve))
}

/** What would have ended the process meanwhile. */
export async function uncaughtIn(work: () => Promise<unknown>): Promise<unknown[]> {
  const others = process.listeners('uncaughtException')
  const uncaught: unknown[] = []
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => uncaught.push(error))
  try {
    await work()
    // What the server has ended reaches us a little later, and should not be taken for what comes next.
    await new Promise((resolve) => setTimeout(resolve, 30))
    return uncaught
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  }
}

/**
 * For how long what may never come is waited for: not for long on the original, where it is known that it never does. What is
 * to come on both sides is waited for by `eventually`.
 */
export const PATIENCE_MS = { theirs: 1_500, ours: 20_000 }

/** Whether it settles before somebody would give up. */
export async function settlesWithin(ms: number, promise: PromiseLike<unknown>): Promise<boolean> {
  const settled = Promise.resolve(promise).then(
    () => true,
    () => true,
  )
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, ms, false))
  return Promise.race([settled, late])
}

/**
 * Makes behaviours that are tried each on a pool of its own, to which the limits belong; what would have ended the process is
 * part of what they tell. What a pool has leaked dies at its end, and not before the next behaviour is tried.
 */
export function onPoolOfItsOwn<Open extends { end(): Promise<unknown> }, Limits extends object>() {
  return (name: string, run: (open: Open) => Promise<string>, limits?: Limits) => ({
    name,
    run: async (subject: (limits?: Limits) => Open | Promise<Open>) => {
      const sockets = openSockets()
      const open = await subject(limits)
      try {
        let told = ''
        const uncaught = await uncaughtIn(async () => {
          told = await run(open)
        })
        return uncaught.length > 0 ? `uncaughtException; ${told}` : told
      } finally {
        await uncaughtIn(async () => {
          await open.end()
          await eventually(() => expect(openSockets()).toBeLessThanOrEqual(sockets))
        })
      }
    },
  })
}

const openSockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
