import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './entries.mjs'
import { run } from './run.mjs'

// Checks that the simulation can fail: plants faults that pools have had in copies of the sources, one at a time, and
// plays seeds with each. `npm run sim:faults`, or with words of the names of some: `npm run sim:faults -- cap drain`.

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {string} file inside src
 * @property {string} from what stands there, once
 * @property {string} to what stands there instead
 */

/** @type {readonly Fault[]} */
const FAULTS = [
  {
    name: 'a waiter that leaves while its connection is prepared keeps it',
    file: 'engine/dispatch.ts',
    from: 'else if (waiter.slot !== undefined) this.unbind(waiter.slot as Slot<R, H>)',
    to: '',
  },
  {
    name: 'a waiter is settled twice: it stays in the queue after its timeout',
    file: 'engine/maintenance.ts',
    from: `this.ports.refuse(waiter, 'timeout')\n      this.withdraw(waiter)`,
    to: `this.ports.refuse(waiter, 'timeout')`,
  },
  {
    name: 'the cap is off by one',
    file: 'engine/state.ts',
    from: 'return this.options.max + this.options.maxOverflow',
    to: 'return this.options.max + this.options.maxOverflow + 1',
  },
  {
    name: 'sockets that close are not counted',
    file: 'engine/state.ts',
    from: 'return this.live + this.counts.closing',
    to: 'return this.live',
  },
  {
    name: 'the listener on a signal is forgotten',
    file: 'pool/pending.ts',
    from: `this.#signal?.removeEventListener('abort', this)`,
    to: '',
  },
  {
    name: 'a stale lease can be released again',
    file: 'pool/pool-lease.ts',
    from: `if (slot !== undefined) {\n      this.#slot = undefined\n      return slot`,
    to: `if (slot !== undefined) {\n      return slot`,
  },
  {
    name: 'the last to come is the first to be served',
    file: 'engine/waiter-queue.ts',
    from: 'this.#insert(level, waiter, level.last)',
    to: 'this.#insert(level, waiter, undefined)',
  },
  {
    name: 'suspects are not checked',
    file: 'engine/retirement.ts',
    from: 'slot.provenAt <= state.suspectAt || ',
    to: '',
  },
  {
    name: 'an open transaction is not rolled back',
    file: 'pool/caretaker.ts',
    from: `return dirty === true || unknown`,
    to: `return unknown`,
  },
  {
    name: 'the end of a drain is ignored',
    file: 'engine/maintenance.ts',
    from: 'if (state.closing && now >= state.drainDeadline) this.endDrain(now)',
    to: '',
  },
  {
    name: 'the answers in a lane are swapped',
    file: 'sql/lane.ts',
    from: `(result) => {\n        this.#settle(shot)\n        return result`,
    to: `(result) => {\n        this.#settle(shot)
        const kept = (this as unknown as { kept?: QueryResult }).kept ?? result
        Object.assign(this, { kept: result })
        return kept`,
  },
  {
    name: 'a timer is left over after close',
    file: 'pool/effects.ts',
    from: `closed(): void {\n    this.#alarm.clear()`,
    to: `closed(): void {`,
  },
  {
    name: 'a connect that succeeds too late is not closed',
    file: 'pool/connector.ts',
    from: `return this.#observer.closeLate(slot)`,
    to: `return`,
  },
  {
    name: 'who waited for a hook that fails is lost',
    file: 'engine/dispatch.ts',
    from: `if (waiter?.state === 'preparing') this.requeue(waiter)\n      this.closeSlot(slot, 'invalid', now)`,
    to: `this.closeSlot(slot, 'invalid', now)`,
  },
  {
    name: 'a refresh forgets the connections that are out',
    file: 'engine/retirement.ts',
    from: 'if (slot.generation < state.generation) return state.outdated',
    to: '',
  },
  {
    name: 'the first of joined leases gives the connection back for all',
    file: 'pool/joined-leases.ts',
    from: 'if (slot.holder.leases.size > 0) return false',
    to: '',
  },
  {
    name: 'close forgets those who wait',
    file: 'engine/engine.ts',
    from: `this.refuseAll('closed')\n    for`,
    to: `for`,
  },
  {
    name: 'a changed session is lent again',
    file: 'sql/pooled-sql.ts',
    from: `if (entry.reading.taints) lease.taint()`,
    to: '',
  },
  {
    name: 'permits are not given back',
    file: 'engine/dispatch.ts',
    from: 'state.options.permits?.give()',
    to: '',
  },
  {
    name: 'lanes take statements for as long as there are any',
    file: 'sql/lane.ts',
    from: 'return lease.usable && !lease.wanted',
    to: 'return lease.usable',
  },
  {
    name: 'timeouts are not counted',
    file: 'pool/effects.ts',
    from: `if (why === 'timeout' && waiter.kind === 'lease') this.#journal.timedOut++`,
    to: '',
  },
  {
    name: 'a suspended pool lends',
    file: 'engine/dispatch.ts',
    from: 'while (!state.suspended && state.queue.size > 0',
    to: 'while (state.queue.size > 0',
  },
  {
    name: 'a deadline is not looked at until something else happens',
    file: 'engine/engine.ts',
    from: 'this.wakeBy(waiter.deadline)',
    to: '',
  },
  {
    name: 'writes run again after a lost connection',
    file: 'sql/call.ts',
    from: `if (this.options?.idempotent !== true && error.executed !== 'no') return false`,
    to: '',
  },
  {
    name: 'nobody tries to connect again after a pause',
    file: 'engine/dispatch.ts',
    from: 'this.wakeBy(until)',
    to: '',
  },
  {
    name: 'a connection that is idle beside a waiter stays there',
    file: 'engine/dispatch.ts',
    from: 'if (waiter !== undefined) this.pump()',
    to: '',
  },
]

const SEEDS = '50'
const LIMIT_MS = 180_000

const words = process.argv.slice(2)
const chosen = FAULTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
let unnoticed = 0
for (const fault of chosen) {
  const verdict = await play(fault)
  if (verdict === undefined) unnoticed++
  process.stdout.write(
    `${verdict === undefined ? 'NOT NOTICED' : 'noticed'}: ${fault.name}${verdict ?? ''}\n`,
  )
}
process.stdout.write(
  `${chosen.length - unnoticed} of ${chosen.length} faults noticed within ${SEEDS} seeds\n`,
)
process.exitCode = unnoticed > chosen.length / 12 ? 1 : 0

/**
 * How the fault was noticed; undefined when it was not.
 * @param {Fault} fault
 */
async function play({ name, file, from, to }) {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-fault-'))
  try {
    const copy = join(folder, 'src')
    cpSync(join(root, 'src'), copy, { recursive: true })
    const path = join(copy, file)
    const text = readFileSync(path, 'utf8')
    if (text.split(from).length !== 2) throw new Error(`${name}: ${file} has changed, and the fault with it`)
    writeFileSync(path, text.replace(from, to))
    const args = [join(root, 'scripts/sim.mjs'), '--seeds', SEEDS, '--bail', '--no-shrink']
    const env = { ...process.env, ROCKPOOL_UNDER_TEST: copy }
    const { code, output } = await run(process.execPath, args, { env, timeoutMs: LIMIT_MS })
    if (code === 0) return undefined
    const [said = 'it did not end'] = output.match(/seed \d+ breaks a rule: [^:]*/) ?? []
    return ` (${said})`
  } finally {
    rmSync(folder, { recursive: true })
  }
}
