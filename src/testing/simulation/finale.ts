import { fakeErrors } from '../fake-error.ts'
import { borrow } from './borrow.ts'
import { closePool } from './ending.ts'
import type { Stage } from './stage.ts'
import { makeStatement, run } from './statements.ts'

/** How long the world may take to calm down: longer than any deadline. */
const ROUNDS = 45
const ROUND_MS = 1_000
/** So many connects may be under way even if connections were lost before. */
const FEW = 3
/** Longer than the pause after the last failed connect. */
const LEAST_ROUNDS = 6

/** The world calms down: the pool must be as good as new, and leave nothing behind when it closes. */
export async function finale(stage: Stage): Promise<void> {
  const { weather, law, tickets } = stage.parts
  weather.clear()
  stage.parts.server.latencyMs = 0.5
  stage.parts.budget?.widen()
  for (let round = 0; round < ROUNDS && (round < LEAST_ROUNDS || !isQuiet(stage)); round++) {
    for (const held of stage.leaked.splice(0)) held.release()
    await stage.sleep(ROUND_MS)
    stage.parts.audit.compare(stage)
    if (round === LEAST_ROUNDS / 2) nothingIsOut(stage)
    if (round >= LEAST_ROUNDS / 2) giveUpOnSilence(stage)
  }
  law.demand(isQuiet(stage), 'every call ends', () => describe(stage))
  tickets.inspect()
  if (!law.broken && stage.ending === undefined) await serveAll(stage)
  if (!law.broken && stage.ending === undefined) {
    const isOdd = stage.parts.plan.seed % 2 === 1
    await (isOdd ? closeUnderHolder(stage) : giveUpInVain(stage))
  }
  if (law.broken) return
  if (stage.ending === undefined) closePool(stage, 1_000)
  await stage.ending?.done
  const { clock } = stage.parts
  law.demand(clock.pending === 0, 'no timer is left', () => `${clock.pending} after close`)
  // Connects that are deaf to their abort, and connections that callers have taken out, end later.
  await stage.sleep(3_000)
  leaveNothing(stage)
}

function isQuiet(stage: Stage): boolean {
  return stage.parts.tickets.pending === 0 && stage.running.size === 0 && stage.suspensions === 0
}

/** Whatever the network does: where nobody waits for anything, nobody holds a connection. */
function nothingIsOut(stage: Stage): void {
  const { law, pool } = stage.parts
  if (!isQuiet(stage)) return
  const { leased } = pool.stats()
  law.demand(leased === 0, 'nothing is out when nobody calls', () => `${leased} are`)
}

function describe(stage: Stage): string {
  const acts = [...stage.running].map(([caller, name]) => `${name} of ${caller}`)
  return `after ${ROUNDS} s ${stage.parts.tickets.pending} wait: ${acts.slice(0, 10).join(', ')}`
}

/** What a kernel does in the end with a connection whose other end is silent. */
function giveUpOnSilence({ parts }: Stage): void {
  for (const { connection, counts } of parts.ledger.all) {
    if (!counts || connection === undefined || !connection.usable) continue
    if (connection.vanished !== undefined || connection.inFlight > 0)
      connection.end(fakeErrors.reset(), { lost: true })
  }
}

/** All callers have gone: there are as many connections to be had as were promised. */
async function serveAll(stage: Stage): Promise<void> {
  const { law, pool, clock, ledger, audit } = stage.parts
  const { max = 10, min = 0, exitWhenIdle = false } = stage.parts.options
  audit.compare(stage)
  const wish = { options: { timeoutMs: 20_000 } }
  const borrowed = await Promise.all(Array.from({ length: max }, (_, n) => borrow(stage, -n - 1, wish)))
  const got = borrowed.filter((held) => held !== undefined)
  law.demand(got.length === max, 'max is served in the end', () => `${got.length} of ${max}`)
  audit.compare(stage)
  for (const held of got) held.release()
  await stage.sleep(2_000)
  const { leased, waiting, total } = pool.stats()
  law.demand(
    leased + waiting === 0,
    'nothing is out in the end',
    () => `${leased} leased, ${waiting} waiting`,
  )
  law.demand(total >= min, 'min is kept', () => `${total} of ${min}`)
  audit.compare(stage)
  await rest(stage)
  await openAll(stage)
  await serveBesideLanes(stage)
  if (!exitWhenIdle) return
  law.demand(clock.referenced === 0, 'the process may end', () => `${clock.referenced} timers`)
  const busy = ledger.all.filter(
    ({ counts, writtenOff, detached, connection }) =>
      counts && !writtenOff && !detached && connection?.referenced === true,
  )
  law.demand(busy.length === 0, 'the process may end', () => `connection ${busy[0]?.id} is referenced`)
}

/** Nothing is opened while nobody needs anything, and nothing ends but what will be missed by nobody. */
async function rest(stage: Stage): Promise<void> {
  const { law, ledger } = stage.parts
  if (ledger.orders.maxLifetimeMs !== Number.POSITIVE_INFINITY) return
  const { length } = ledger.all
  await stage.sleep(1_000)
  law.demand(
    ledger.all.length === length,
    'a pool at rest opens nothing',
    () => `${ledger.all.length - length}`,
  )
}

/** After a success, be it that of the first connect, nothing holds back the connects of all others who need one. */
async function openAll(stage: Stage): Promise<void> {
  const { law, pool, ledger, attempts } = stage.parts
  const { max = 10 } = stage.parts.options
  ledger.fitness.refreshed()
  pool.refresh()
  await stage.sleep(2_000)
  attempts.takeMost()
  // Beside leases it may be wiser to wait for these.
  const needed = pool.stats().total === 0 ? max : 0
  const wish = { options: { timeoutMs: 20_000 } }
  const borrowed = await Promise.all(Array.from({ length: max }, (_, n) => borrow(stage, -n - 1, wish)))
  for (const held of borrowed) held?.release()
  const most = attempts.takeMost()
  law.demand(most >= Math.min(FEW, needed - 1), 'a success ends the pause', () => `${most} at a time`)
  await stage.sleep(2_000)
}

/** Closes the pool twice while somebody keeps a connection, and others are being opened. */
async function closeUnderHolder(stage: Stage): Promise<void> {
  const wish = { options: { timeoutMs: 20_000 } }
  await borrow(stage, -1, wish)
  for (let caller = -2; caller > -20; caller--) void borrow(stage, caller, wish)
  await stage.sleep(0.2)
  const drains = [100, 20_000]
  if (stage.parts.plan.seed % 4 === 1) drains.reverse()
  for (const drainTimeoutMs of drains) closePool(stage, drainTimeoutMs)
}

/** Somebody gives up when nothing is open: there is nothing left to wait for. */
async function giveUpInVain(stage: Stage): Promise<void> {
  const { pool, ledger } = stage.parts
  ledger.fitness.suspended(true)
  pool.suspend()
  ledger.fitness.refreshed()
  pool.refresh()
  await stage.sleep(2_000)
  await borrow(stage, -1, { signal: stage.signal(1) })
}

/** Statements that come without end must not keep a lease from its caller. */
async function serveBesideLanes(stage: Stage): Promise<void> {
  const { law, sql, pool, ledger, options } = stage.parts
  if (sql === undefined || options.overload === 'shed' || options.maxWaiting !== undefined) return
  let enough = false
  const hammer = async (caller: number) => {
    for (let left = 300; left > 0 && !enough && !law.broken; left--)
      await run(stage, caller, sql, { statement: makeStatement(stage, caller, 'read'), at: 'once' })
  }
  const hammers = Array.from({ length: 40 }, (_, n) => hammer(-1_000 - n))
  await stage.sleep(5)
  // Where nothing is shared there is nothing to give way: each stands in line with all others.
  const timeoutMs = isSharing(stage) ? 100 : 1_000
  const held = await borrow(stage, -1, { options: { timeoutMs } })
  law.demand(held !== undefined, 'lanes give way', () => 'a lease was not to be had within 100 ms')
  held?.release()
  await stage.sleep(2)
  stage.suspensions++
  ledger.fitness.suspended(true)
  pool.suspend()
  await stage.sleep(10)
  stage.suspensions--
  ledger.fitness.suspended(false)
  pool.resume()
  enough = true
  await Promise.all(hammers)
  await stage.sleep(2_000)
}

function isSharing({ parts: { plan } }: Stage): boolean {
  const { onAcquire, onRelease } = plan.hooks
  return !onAcquire && !onRelease && !plan.resetsItself && plan.options.reset !== 'full'
}

function leaveNothing(stage: Stage): void {
  const { law, clock, ledger, server, database, audit, budget, attempts } = stage.parts
  law.demand(clock.pending === 0, 'no timer is left', () => `${clock.pending}`)
  law.demand(stage.signals.listening === 0, 'no listener is left', () => `${stage.signals.listening}`)
  law.demand(ledger.counted === 0, 'no socket is left', () => `${ledger.counted}`)
  for (const { id, connection, closes, detached } of ledger.all) {
    if (connection === undefined || detached) continue
    law.demand(closes === 1, 'closed once', () => `connection ${id}: ${closes} times`)
  }
  const lingering = ledger.all.filter(({ counts }) => counts).length
  law.demand(server.open <= lingering, 'no socket is left', () => `${server.open} at the server`)
  law.demand(server.misuse.length === 0, 'no misuse', () => server.misuse.join('; '))
  attempts.settle()
  law.demand((budget?.taken ?? 0) === 0, 'permits are given back', () => `${budget?.taken}`)
  for (const [what, count] of stage.underWay)
    law.demand(count === 0, 'no promise is left', () => `${count} of ${what}`)
  audit.settle(stage)
  database.audit()
}
