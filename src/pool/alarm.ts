import type { Clock } from '../contract/clock.ts'
import { Appointment, Timetable } from './timetable.ts'

/** A timer that fires later than this tells that the event loop was blocked. */
const LATE_MS = 20

/** One pool's place in the timetable: the one time at which it wants to be woken next. */
export class Alarm {
  readonly #clock: Clock
  readonly #timetable: Timetable
  readonly #ring: (lateByMs: number) => void
  #appointment: Appointment | undefined = undefined

  constructor(clock: Clock, ring: (lateByMs: number) => void) {
    this.#clock = clock
    this.#timetable = Timetable.of(clock)
    this.#ring = ring
  }

  set(at: number, { keepsAlive }: { keepsAlive: boolean }): void {
    this.clear()
    if (at === Number.POSITIVE_INFINITY) return
    this.#appointment = new Appointment(at, { wake: (lateByMs) => this.#wake(lateByMs), keepsAlive })
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

  #wake(lateByMs: number): void {
    // What arrived while the loop was blocked has not been read yet: one poll, then judge.
    if (lateByMs > LATE_MS) this.#clock.afterPoll(() => this.#ring(lateByMs))
    else this.#ring(0)
  }
}
