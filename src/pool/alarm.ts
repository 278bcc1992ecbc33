import type { Clock } from '../contract/clock.ts'
import { Appointment, type Sleeper, Timetable } from './timetable.ts'

/** A timer that fires later than this tells that the event loop was blocked. */
const LATE_MS = 20

/** Whom an alarm rings for. */
interface Ringed {
  ring(lateByMs: number): void
}

/** One pool's place in the timetable: the one time at which it wants to be woken next. */
export class Alarm implements Sleeper {
  readonly #clock: Clock
  readonly #timetable: Timetable
  readonly #pool: Ringed
  #appointment: Appointment | undefined = undefined

  constructor(clock: Clock, pool: Ringed) {
    this.#clock = clock
    this.#timetable = Timetable.of(clock)
    this.#pool = pool
  }

  set(at: number, { keepsAlive }: { keepsAlive: boolean }): void {
    this.clear()
    if (at === Number.POSITIVE_INFINITY) return
    this.#appointment = new Appointment(at, { sleeper: this, keepsAlive })
    this.#timetable.add(this.#appointment)
  }

  clear(): void {
    if (this.#appointment !== undefined) this.#timetable.cancel(this.#appointment)
    this.#appointment = undefined
  }

  /** Keeps the process alive whenever the timer runs, until `letGo`. */
  hold(): void {
    this.#timetable.hold()
  }

  letGo(): void {
    this.#timetable.letGo()
  }

  wake(lateByMs: number): void {
    // What arrived while the loop was blocked has not been read yet: one poll, then judge.
    if (lateByMs > LATE_MS) this.#clock.afterPoll(() => this.#pool.ring(lateByMs))
    else this.#pool.ring(0)
  }
}
