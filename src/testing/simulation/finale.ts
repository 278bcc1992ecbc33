import { fakeErrors } from '../fake-error.ts'
import { borrow } from './borrow.ts'
import type { Stage } from './stage.ts'
import { makeStatement, run } from './statements.ts'

/** How long the world may take to calm down: longer than any deadline. */
const ROUNDS = 45
const ROUND_MS = 1_000
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
  if (!law.broken && stage.closing === undefined) await serveAll(stage)
  if (law.broken) return
  if (stage.closing === undefined) stage.close(1_000)
  await stage.closing
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
  await serveBesideLanes(stage)
  if (!exitWhenIdle) return
  law.demand(clock.referenced === 0, 'the process may end', () => `${clock.referenced} timers`)
  const busy = ledger.all.filter(
    ({ counts, writtenOff, detached, connection }) =>
      counts && !writtenOff && !detached && connection?.referenced === true,
  )
  law.demand(busy.length === 0, 'the process may end', () => `connection ${busy[0]?.id} is referenced`)
}

/** Statements that come without end must not keep a lease from its caller. */
async function serveBesideLanes(stage: Stage): Promise<void> {
  const { law, sql, options } = stage.parts
  if (sql === undefined || options.overload === 'shed' || options.maxWaiting !== undefined) return
  let enough = false
  const hammer = async (caller: number) => {
    for (let left = 300; left > 0 && !enough && !law.broken; left--)
      await run(stage, caller, sql, { statement: makeStatement(stage, caller, 'read'), at: 'once' })
  }
  const hammers = Array.from({ length: 40 }, (_, n) => hammer(-1_000 - n))
  await stage.sleep(5)
  const held = await borrow(stage, -1, { options: { timeoutMs: 100 } })
  law.demand(held !== undefined, 'lanes give way', () => 'a lease was not to be had within 100 ms')
  held?.release()
  enough = true
  await Promise.all(hammers)
  await stage.sleep(2_000)
}

function leaveNothing(stage: Stage): void {
  const { law, clock, ledger, server, database, audit, budget } = stage.parts
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
  law.demand((budget?.taken ?? 0) === 0, 'permits are given back', () => `${budget?.taken}`)
  for (const [what, count] of stage.underWay)
    law.demand(count === 0, 'no promise is left', () => `${count} of ${what}`)
  audit.settle(stage)
  database.audit()
}
