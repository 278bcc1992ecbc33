import { debuglog } from 'node:util'
import { messageOf } from '../contract/errors.ts'
import type { PoolEvent, PoolEventName } from '../contract/events.ts'
import type { CloseReason } from '../contract/stats.ts'
import { Distribution } from './distribution.ts'
import { Emitter } from './emitter.ts'

const debug = debuglog('rockpool')
/** NODE_DEBUG does not change while the process runs. */
const debugging = debug.enabled

type Print = (line: string) => void

const NONE_CLOSED: Readonly<Record<CloseReason, number>> = Object.freeze({
  idle: 0,
  lifetime: 0,
  uses: 0,
  refresh: 0,
  stale: 0,
  lost: 0,
  invalid: 0,
  dirty: 0,
  destroyed: 0,
  overflow: 0,
  resize: 0,
  close: 0,
  abandoned: 0,
})

/** What happened in a pool: counted, told to listeners, and printed under NODE_DEBUG=rockpool. */
export class Journal {
  readonly emitter = new Emitter()
  #closed: Record<CloseReason, number> | undefined = undefined
  readonly waitTime = new Distribution()
  readonly useTime = new Distribution()
  readonly connectTime = new Distribution()
  acquired = 0
  timedOut = 0
  created = 0
  connectFailed = 0
  leaked = 0
  readonly #pool: string
  /** Undefined unless somebody reads along. */
  readonly #print: Print | undefined

  constructor(pool: string, print: Print | undefined = debugging ? (line) => debug(line) : undefined) {
    this.#pool = pool
    this.#print = print
  }

  /** Connections closed, by reason. */
  get closed(): Readonly<Record<CloseReason, number>> {
    return this.#closed ?? NONE_CLOSED
  }

  countClosed(reason: CloseReason): void {
    this.#closed ??= { ...NONE_CLOSED }
    this.#closed[reason]++
  }

  /** Whether `tell` has anybody to tell: callers on the hot path ask before they build the facts. */
  heard(event: PoolEventName): boolean {
    return this.#print !== undefined || this.emitter.heard(event)
  }

  /** `heard` for the two events of the hot path. */
  get hearsAcquire(): boolean {
    return this.#print !== undefined || this.emitter.hearsAcquire
  }

  get hearsRelease(): boolean {
    return this.#print !== undefined || this.emitter.hearsRelease
  }

  lent(id: number, waitedMs: number): void {
    this.acquired++
    this.waitTime.add(waitedMs)
    if (this.hearsAcquire) this.tell('acquire', { id, ms: waitedMs })
  }

  tell(event: PoolEventName, facts: Omit<PoolEvent, 'pool'>): void {
    this.#print?.(`${this.#pool}: ${event}${describe(facts)}`)
    if (this.emitter.heard(event)) this.emitter.emit(event, { pool: this.#pool, ...facts })
  }

  /** Prints a decision that is no event. */
  note(decision: string, id?: number): void {
    this.#print?.(`${this.#pool}: ${decision}${id === undefined ? '' : ` #${id}`}`)
  }
}

function describe({ id, reason, error, ms }: Omit<PoolEvent, 'pool'>): string {
  const parts = [
    id === 0 ? '' : ` #${id}`,
    reason === undefined ? '' : ` (${reason})`,
    ms === undefined ? '' : ` after ${ms.toFixed(1)} ms`,
    error === undefined ? '' : `: ${messageOf(error)}`,
  ]
  return parts.join('')
}
