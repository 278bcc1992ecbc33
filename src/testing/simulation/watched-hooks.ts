import type { FakeConnection } from '../fake-connection.ts'
import type { LedgerFacts } from './fitness.ts'
import type { Lateness } from './lateness.ts'
import type { Ledger } from './ledger.ts'
import type { Socket } from './socket.ts'

export type HookName = 'onConnect' | 'onAcquire' | 'onRelease'
type Hook = (connection: FakeConnection) => Promise<void>
export type SignalledHook = (connection: FakeConnection, context: { signal: AbortSignal }) => Promise<void>

/** What a check or a hook of the pool's needs to be watched. */
export interface PhaseFacts extends LedgerFacts {
  readonly lateness: Lateness
  /** The pool was closed before this step. */
  wasClosed(): boolean
  /** How long each may take. */
  readonly limitMs: Readonly<Record<HookName | 'isAlive', number>>
}

/** Runs a phase: whoever goes on for too long was told that nobody waits for it. */
export async function watchedPhase<T>(
  facts: PhaseFacts,
  { name, signal, socket }: { name: HookName | 'isAlive'; signal: AbortSignal; socket: Socket },
  run: () => Promise<T>,
): Promise<T> {
  const deadline = facts.now() + facts.limitMs[name]
  socket.phaseDeadline = deadline
  try {
    const result = await run()
    socket.phaseDeadline = Number.POSITIVE_INFINITY
    return result
  } finally {
    const ends = name === 'isAlive' || name === 'onAcquire'
    facts.law.demand(signal.aborted || !ends || !facts.wasClosed(), 'close ends checks', () => name)
    const inTime = signal.aborted || facts.lateness.excuses(deadline, facts.now())
    facts.law.demand(inTime, 'phases are aborted in time', () => name)
  }
}

/** A user's hook, which notes on whom it has run. */
export function watchedHook(name: HookName, hook: Hook, ledger: Ledger, facts: PhaseFacts): SignalledHook {
  return async (connection, { signal }) => {
    const socket = ledger.of(connection)
    await watchedPhase(facts, { name, signal, socket }, () => hook(connection))
    if (name === 'onConnect') socket.bare = false
    else if (name === 'onAcquire') socket.prepared = true
    else socket.released = true
    ledger.alive(socket)
  }
}
