import type { Clock, Timer } from '../contract/clock.ts'
import { Deadlines, type Due } from '../engine/deadlines.ts'

/** Who has an appointment. An object, not a function: ten thousand idle pools would each hold one. */
export interface Sleeper {
  wake(lateByMs: number): void
}

/** A time at which a pool wants to be woken. */
export class Appointment implements Due {
  readonly deadline: number
  readonly sleeper: Sleeper
  readonly keepsAlive: boolean
  done = false

  constructor(deadline: number, { sleeper, keepsAlive }: { sleeper: Sleeper; keepsAlive: boolean }) {
    this.deadline = deadline
    this.sleeper = sleeper
    this.keepsAlive = keepsAlive
  }
}

const timetables = new WeakMap<Clock, Timetable>()

/** The appointments of all pools on one clock behind one timer, so that thousands of idle pools cost one. */
export class Timetable {
  readonly #clock: Clock
  readonly #appointments = new Deadlines<Appointment>()
  #timer: Timer | undefined = undefined
  #timerAt = Number.POSITIVE_INFINITY
  /** Reasons to keep the process alive: appointments that ask for it, and callers who wait. */
  #holds = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  static of(clock: Clock): Timetable {
    let timetable = timetables.get(clock)
    if (timetable === undefined) {
      timetable = new Timetable(clock)
      timetables.set(clock, timetable)
    }
    return timetable
  }

  add(appointment: Appointment): void {
    if (appointment.keepsAlive) this.hold()
    this.#appointments.add(appointment)
    if (appointment.deadline < this.#timerAt) this.#arm()
  }

  /** The timer stays where it is: finding nothing to do once is cheaper than being moved each time. */
  cancel(appointment: Appointment): void {
    if (appointment.done) return
    this.#finish(appointment)
    this.#appointments.finished(appointment)
    if (this.#appointments.earliest === Number.POSITIVE_INFINITY) this.#arm()
  }

  hold(): void {
    if (this.#holds++ === 0) this.#timer?.ref()
  }

  letGo(): void {
    if (--this.#holds === 0) this.#timer?.unref()
  }

  #finish(appointment: Appointment): void {
    appointment.done = true
    if (appointment.keepsAlive) this.letGo()
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAt = this.#appointments.earliest
    if (this.#timerAt === Number.POSITIVE_INFINITY) return
    this.#timer = this.#clock.after(Math.max(0, this.#timerAt - this.#clock.now()), () => this.#fire())
    if (this.#holds === 0) this.#timer.unref()
  }

  #fire(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    for (
      let due = this.#appointments.takeDue(now);
      due !== undefined;
      due = this.#appointments.takeDue(now)
    ) {
      this.#finish(due)
      this.#appointments.finished(due)
      due.sleeper.wake(now - due.deadline)
    }
    this.#arm()
  }
}
