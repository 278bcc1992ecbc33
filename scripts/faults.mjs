// Faults that pools have had, and where they would stand here: `npm run sim:faults` plants each in a copy of the sources.

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {string} file inside src
 * @property {string} from what stands there, once
 * @property {string} to what stands there instead
 */

/** @type {readonly Fault[]} */
export const FAULTS = [
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
    from: 'return this.slots.size\n',
    to: 'return this.live\n',
  },
  {
    name: 'the listener on a signal is forgotten',
    file: 'pool/pending.ts',
    from: `this.signal?.removeEventListener('abort', this)`,
    to: '',
  },
  {
    name: 'a stale lease can be released again',
    file: 'pool/pool-lease.ts',
    from: 'this.#slot = undefined\n    this.lender.giveBack',
    to: 'this.lender.giveBack',
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
    from: 'if (holder.leases.size > 0) return false',
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
  {
    name: 'a success does not end the pause after failures',
    file: 'engine/engine.ts',
    from: `    this.state.backoff.succeeded()\n`,
    to: '',
  },
  {
    name: 'there is no pause after a failed connect',
    file: 'engine/engine.ts',
    from: `    this.backOff(slot, now, permanent)\n`,
    to: '',
  },
  {
    name: 'a hanging reset never ends',
    file: 'engine/engine.ts',
    from: `    slot.deadline = now + this.state.options.resetTimeoutMs\n`,
    to: '',
  },
  {
    name: 'maxWaiting is off by one',
    file: 'engine/engine.ts',
    from: 'return state.queue.size + 1 - (state.cap',
    to: 'return state.queue.size - (state.cap',
  },
  {
    name: 'what shares a connection goes on in a suspended pool',
    file: 'engine/engine.ts',
    from: 'if (state.suspended || dueReason(state, slot, now) !== undefined) return true',
    to: 'if (dueReason(state, slot, now) !== undefined) return true',
  },
  {
    name: 'what shares a connection outlives its time',
    file: 'engine/engine.ts',
    from: 'if (state.suspended || dueReason(state, slot, now) !== undefined) return true',
    to: 'if (state.suspended) return true',
  },
  {
    name: 'a change of maxLifetimeMs does not reach what is open',
    file: 'engine/engine.ts',
    from: `for (const slot of state.slots)\n      if (slot.connection !== undefined) slot.expiresAt = lifetimeEnd(state, slot)`,
    to: '',
  },
  {
    name: 'a second close prolongs the first',
    file: 'engine/engine.ts',
    from: 'state.drainDeadline = Math.min(state.drainDeadline, drainDeadline)',
    to: 'state.drainDeadline = drainDeadline',
  },
  {
    name: 'close does not abort the connects under way',
    file: 'engine/engine.ts',
    from: `if (slot.state === 'connecting') this.abortConnect(slot, 'close', now)`,
    to: '',
  },
  {
    name: 'close resolves while sockets are still closing',
    file: 'engine/dispatch.ts',
    from: 'if (state.closing && state.total === 0) this.ports.closed()',
    to: 'if (state.closing && state.live === 0) this.ports.closed()',
  },
  {
    name: 'a failed check casts no doubt on the others',
    file: 'engine/dispatch.ts',
    from: `    if (!alive) {\n      this.suspectAll(now)\n`,
    to: `    if (!alive) {\n`,
  },
  {
    name: 'min is undercut by idleness and filled again',
    file: 'engine/retirement.ts',
    from: 'state.live <= state.options.min',
    to: 'state.live < state.options.min',
  },
  {
    name: 'a return does not count as use',
    file: 'engine/engine.ts',
    from: `    const { now } = this\n    slot.usedAt = now\n`,
    to: `    const { now } = this\n`,
  },
]
