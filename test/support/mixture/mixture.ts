import type { SqlPool } from '../../../src/index.ts'
import type { Random } from '../../../src/testing/random.ts'
import { pause } from '../chaos.ts'
import { Judge, outcomeOf } from './judge.ts'
import { Ledger } from './ledger.ts'
import { locks } from './locks.ts'
import { reads } from './reads.ts'
import { sessions } from './sessions.ts'
import { transactions } from './transactions.ts'
import { Room, type User } from './user.ts'
import { writes } from './writes.ts'

type Weighted = readonly (readonly [number, (user: User) => Promise<void>])[]

const ALL: Weighted = [...reads, ...writes, ...transactions, ...sessions, ...locks]
const READS_AND_LOCKS: Weighted = [...reads, ...locks, ...locks]
const FEW = 6
/** So many calls of everything, then so many that only read: these come to share connections, and are given up there. */
const TURN = 400

/** Two who wait for the pool and two who wait for them: fewer than the least that the pool is shrunk to. */
const PLACES = 2

const STALL_MS = 20_000

/** Users who do this and that, all at the same time, until there were so many calls. */
export class Mixture {
  readonly judge = new Judge()
  readonly ledger = new Ledger()
  readonly once = new Ledger()
  readonly #users: readonly User[]

  constructor(pool: SqlPool, random: Random, users: number) {
    const { judge, ledger, once } = this
    const rooms = { holders: new Room(PLACES), lockWaiters: new Room(PLACES) }
    this.#users = Array.from({ length: users }, () => {
      return { pool, judge, ledger, once, random: random.fork(), ...rooms }
    })
  }

  /** Everybody does everything. @throws when calls are open and none settles any more */
  run(calls: number): Promise<void> {
    return this.#run(calls, this.#users, () =>
      Math.floor(this.judge.started / TURN) % 2 === 1 ? reads : ALL,
    )
  }

  /** A few read, lock rows and wait for them: each statement is fast, but for the locks. */
  runLocks(calls: number): Promise<void> {
    return this.#run(calls, this.#users.slice(0, FEW), () => READS_AND_LOCKS)
  }

  async #run(calls: number, users: readonly User[], actions: () => Weighted): Promise<void> {
    const work = Promise.all(users.map((user) => this.#use(user, calls, actions)))
    let isOver = false
    const over = work.finally(() => {
      isOver = true
    })
    await Promise.race([over, this.#watch(() => isOver)])
  }

  async #use(user: User, calls: number, actions: () => Weighted): Promise<void> {
    while (this.judge.started < calls) {
      await outcomeOf(pick(actions(), user.random)(user))
      // A pool that answers at once would let nobody else in.
      if (user.random.chance(0.01)) await pause(1)
    }
  }

  async #watch(isOver: () => boolean): Promise<void> {
    for (let seen = -1, since = performance.now(); !isOver(); await pause(100)) {
      if (seen !== this.judge.settled) since = performance.now()
      seen = this.judge.settled
      if (performance.now() - since < STALL_MS) continue
      throw new Error(`nothing is answered any more; open are:\n${this.judge.open.join('\n')}`)
    }
  }
}

function pick(actions: Weighted, random: Random): (user: User) => Promise<void> {
  let left = random.next() * actions.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, action] of actions) {
    left -= weight
    if (left < 0) return action
  }
  throw new Error('the weights do not add up')
}
