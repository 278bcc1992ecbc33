import type { AcquireOptions } from '../../contract/lease.ts'
import type { SqlLease } from '../../contract/sql.ts'
import type { FakeConnection } from '../fake-connection.ts'
import type { Random } from '../random.ts'
import { familiarOnes } from './choice.ts'
import type { CountedSignal } from './counted-signal.ts'
import { Held } from './held.ts'
import type { AnyLease, Stage } from './stage.ts'
import type { Ticket } from './tickets.ts'

/** What a caller asks for, and how it gives up. */
export interface Wish {
  options?: AcquireOptions | undefined
  signal?: CountedSignal | undefined
}

/** Registers somebody who waits from now on. */
export function ticketFor(
  stage: Stage,
  caller: number,
  { options = {}, signal }: Wish,
  { acquires }: { acquires: boolean } = { acquires: true },
): Ticket {
  const { tickets, ledger } = stage.parts
  const { overload, acquireTimeoutMs = 30_000, validateTimeoutMs = 5_000 } = stage.parts.options
  const { timeoutMs = acquireTimeoutMs, priority = 0, key } = options
  // 0 waits for nobody; but an idle connection that is due for its check may answer it.
  const patience = timeoutMs === 0 ? validateTimeoutMs : timeoutMs
  const inTurn = acquires && key === undefined && overload !== 'shed' && !ledger.orders.prepares
  const since = stage.now
  return tickets.open({
    caller,
    step: stage.steps,
    since,
    deadline: since + patience,
    atOnce: timeoutMs === 0,
    priority,
    inTurn,
    signal,
    stillborn: signal?.aborted === true,
    key,
    excess: acquires && isTooMuch(stage),
    acquires,
    waitsUntilReady: !acquires,
  })
}

/** One more caller is one too many for this pool. */
function isTooMuch({ parts: { pool, ledger, options } }: Stage): boolean {
  const { maxWaiting } = options
  if (maxWaiting === undefined) return false
  const { waiting, leased } = pool.stats()
  return waiting + 1 + leased - ledger.orders.cap > maxWaiting
}

/** `pool.acquire`, watched. Undefined when the pool has refused, for a reason that was checked. */
export async function borrow<L extends AnyLease = SqlLease<FakeConnection>>(
  stage: Stage,
  caller: number,
  wish: Wish = {},
): Promise<Held<L> | undefined> {
  const { tickets } = stage.parts
  stage.call('acquire', caller)
  const ticket = ticketFor(stage, caller, wish)
  const { affinity } = wish.options ?? {}
  // Whoever was served just before has not been told yet.
  const familiar = affinity === undefined || tickets.waiting > 1 ? [] : familiarOnes(stage, affinity)
  let lease: L
  try {
    const options =
      wish.signal === undefined ? wish.options : { ...wish.options, signal: wish.signal.asSignal }
    lease = (await stage.parts.pool.acquire(options)) as AnyLease as L
  } catch (error) {
    tickets.refused(ticket, error)
    stage.parts.trace.note('refused', caller)
    return undefined
  }
  tickets.granted(ticket, stage.steps)
  const held = hold(stage, caller, lease, wish.options?.key)
  if (held === undefined) return undefined
  held.socket.affinity = affinity
  const missed =
    ticket.step === stage.steps && familiar.length > 0 && !familiar.includes(held.socket) && familiar[0]
  if (missed !== false && missed?.closes === 0)
    stage.parts.law.breaks('affinity', `connection ${held.socket.id} instead of ${missed.id}`)
  return held
}

/** `pool.tryAcquire`, watched. */
export function tryBorrow<L extends AnyLease = SqlLease<FakeConnection>>(
  stage: Stage,
  caller: number,
): Held<L> | undefined {
  const { pool, ledger, law } = stage.parts
  stage.call('tryAcquire', caller)
  try {
    const lease = pool.tryAcquire()
    law.demand(!ledger.closing, 'nothing is lent after close', () => `${caller}`)
    const held = lease === undefined ? undefined : hold(stage, caller, lease as AnyLease as L, undefined)
    if (held !== undefined) held.socket.affinity = undefined
    return held
  } catch (error) {
    law.demand(ledger.closing, 'tryAcquire throws after close only', () => String(error))
    return undefined
  }
}

function hold<L extends AnyLease>(stage: Stage, caller: number, lease: L, key: unknown): Held<L> | undefined {
  const { law, ledger, trace } = stage.parts
  const connection = connectionOf(lease)
  stage.leases++
  if (connection === undefined) {
    // A death in this very step may have come between the grant and this line.
    law.demand(ledger.closing || ledger.hasJustLost, 'a new lease is usable', () => `${caller}`)
    return undefined
  }
  const socket = ledger.lent(connection, caller, key)
  if ((socket.owner?.callers.length ?? 0) > 1) stage.joins++
  trace.note('holds', caller, socket.id)
  return new Held(stage, caller, { lease, socket })
}

export function connectionOf(lease: { readonly connection: FakeConnection }): FakeConnection | undefined {
  try {
    return lease.connection
  } catch {
    return undefined
  }
}

/** What callers ask for, with all that options may say. */
export function randomWish(stage: Stage, random: Random): Wish {
  const options: AcquireOptions = {}
  if (random.chance(0.4)) options.timeoutMs = random.pick([0, 1, 5, 20, 100, 1_000])
  if (random.chance(0.15)) options.priority = random.integer(-1, 2)
  if (random.chance(0.15)) options.affinity = random.integer(0, 3)
  if (random.chance(0.1)) options.label = random.pick(['web', 'job'])
  const signal = random.chance(0.15) ? stage.signal(random.between(0, 50)) : undefined
  if (random.chance(0.02)) signal?.abort(new Error('the caller has given up before'))
  return { options, signal }
}
