import { CANCELLED, sqlErrors } from './error.ts'

/** How a thing is held: read or written, as a whole or, with `I`, in parts. */
export type LockMode = 'IS' | 'IX' | 'S' | 'X'

/** Which modes may be held by others at the same time. */
const FITS: Readonly<Record<LockMode, readonly LockMode[]>> = {
  IS: ['IS', 'IX', 'S'],
  IX: ['IS', 'IX'],
  S: ['IS', 'S'],
  X: [],
}

/** Who holds locks: a transaction, or a session by itself. Two of the same session never stand in each other's way. */
export interface LockOwner {
  readonly spid: number
}

export interface Patience {
  readonly signal: AbortSignal
  /** As in SET LOCK_TIMEOUT: -1 = for ever, 0 = not at all. */
  readonly timeoutMs: number
}

interface Waiter {
  readonly owner: LockOwner
  readonly thing: string
  readonly mode: LockMode
  grant(): void
}

/** Who holds what, and who waits for whom; the one who would close a circle is a deadlock's victim. */
export class Locks {
  readonly #held = new Map<string, Map<LockOwner, Set<LockMode>>>()
  readonly #things = new WeakMap<LockOwner, Set<string>>()
  readonly #waiting = new Set<Waiter>()

  isFree(owner: LockOwner, thing: string, mode: LockMode): boolean {
    return this.#blockers(owner, thing, mode).length === 0
  }

  async take(
    owner: LockOwner,
    { thing, mode }: { thing: string; mode: LockMode },
    patience: Patience,
  ): Promise<void> {
    if (this.isFree(owner, thing, mode)) return this.#hold(owner, thing, mode)
    if (patience.timeoutMs === 0) throw sqlErrors.lockTimeout()
    if (this.#closesCircle(owner, thing, mode)) throw sqlErrors.deadlock(owner.spid)
    await this.#wait({ owner, thing, mode }, patience)
  }

  /** Gives up everything, or one thing. */
  release(owner: LockOwner, thing?: string): void {
    const things = this.#things.get(owner)
    if (things === undefined) return
    for (const one of thing === undefined ? [...things] : [thing]) {
      things.delete(one)
      const holders = this.#held.get(one)
      if (holders?.delete(owner) && holders.size === 0) this.#held.delete(one)
    }
    for (const waiter of [...this.#waiting]) {
      if (!this.isFree(waiter.owner, waiter.thing, waiter.mode)) continue
      this.#waiting.delete(waiter)
      this.#hold(waiter.owner, waiter.thing, waiter.mode)
      waiter.grant()
    }
  }

  #wait(wish: Omit<Waiter, 'grant'>, { signal, timeoutMs }: Patience): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        this.#waiting.delete(waiter)
        settle()
      }
      const abort = () => end(() => reject(signal.reason ?? CANCELLED))
      const waiter: Waiter = { ...wish, grant: () => end(resolve) }
      const timer =
        timeoutMs < 0 ? undefined : setTimeout(() => end(() => reject(sqlErrors.lockTimeout())), timeoutMs)
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.add(waiter)
    })
  }

  #hold(owner: LockOwner, thing: string, mode: LockMode): void {
    const holders = this.#held.get(thing) ?? new Map<LockOwner, Set<LockMode>>()
    this.#held.set(thing, holders)
    holders.set(owner, (holders.get(owner) ?? new Set()).add(mode))
    this.#things.set(owner, (this.#things.get(owner) ?? new Set()).add(thing))
  }

  #blockers({ spid }: LockOwner, thing: string, mode: LockMode): number[] {
    const holders = [...(this.#held.get(thing) ?? [])]
    return holders
      .filter(
        ([other, modes]) => other.spid !== spid && ![...modes].every((held) => FITS[mode].includes(held)),
      )
      .map(([other]) => other.spid)
  }

  #closesCircle(owner: LockOwner, thing: string, mode: LockMode): boolean {
    const seen = new Set<number>()
    const next = this.#blockers(owner, thing, mode)
    for (let spid = next.pop(); spid !== undefined; spid = next.pop()) {
      if (spid === owner.spid) return true
      if (seen.has(spid)) continue
      seen.add(spid)
      for (const waiter of this.#waiting) {
        if (waiter.owner.spid === spid) next.push(...this.#blockers(waiter.owner, waiter.thing, waiter.mode))
      }
    }
    return false
  }
}
