import { inFlight, type PgClient } from './client.ts'

/** With so many statements before it the server has enough to do until the next ones come. */
const ENOUGH_AHEAD = 16

/**
 * Statements that share a connection go out together: a system call for each costs more than all else that happens to
 * them here. They wait for the end of the turn, whose promises may send more; and while the server is far from done with
 * what it has, which costs nobody anything, since it answers one after the other.
 */
export class Outbox {
  readonly #client: PgClient
  #held = 0
  #isDue = false

  constructor(client: PgClient) {
    this.#client = client
  }

  /** A statement is written next. */
  gather(): void {
    const { stream } = this.#client.connection
    if (stream.cork === undefined) return
    if (this.#held++ > 0) return
    stream.cork()
    this.#endTurn()
  }

  /** The server is done with a statement. */
  answered(): void {
    if (this.#held > 0) this.#endTurn()
  }

  #endTurn(): void {
    if (this.#isDue) return
    this.#isDue = true
    process.nextTick(() => {
      this.#isDue = false
      if (inFlight(this.#client) - this.#held < ENOUGH_AHEAD) this.#send()
    })
  }

  #send(): void {
    this.#held = 0
    this.#client.connection.stream.uncork?.()
  }
}
