import type { Row } from '../../contract/sql-driver.ts'
import { Answers } from '../mysql-family/answers.ts'
import type { Speaker, Stream } from '../mysql-family/speaker.ts'
import type { Inner, MariadbConnection } from './client.ts'

const QUIT = Uint8Array.of(1, 0, 0, 0, 1)

export class MariadbSpeaker implements Speaker {
  readonly connection: MariadbConnection
  readonly answers = new Answers()
  readonly #inner: Inner
  /** The package forgets its socket when that has failed. */
  readonly #stream: Stream

  constructor(connection: MariadbConnection, inner: Inner) {
    this.connection = connection
    this.#inner = inner
    this.#stream = inner.socket as Stream
    this.answers.note(connection.info?.status ?? 0)
    this.#watch()
  }

  get threadId(): number {
    return this.connection.threadId as number
  }

  get isBusy(): boolean {
    const { receiveQueue } = this.#inner
    for (let i = 0; i < receiveQueue.length; i++) {
      // Those that have ended stay until somebody looks.
      if (receiveQueue.peekAt(i)?.onPacketReceive !== null) return true
    }
    return false
  }

  get canPipeline(): boolean {
    return this.#inner.opts.pipelining === true
  }

  get isEnded(): boolean {
    return !this.connection.isValid()
  }

  get stream(): Stream {
    return this.#stream
  }

  onError(told: (error: unknown) => void): void {
    this.connection.on('error', told)
  }

  async ask(sql: string): Promise<Row[]> {
    return (await this.connection.query({
      sql,
      metaAsArray: false,
      rowsAsArray: false,
      nestTables: false,
    })) as Row[]
  }

  async ping(): Promise<void> {
    await this.connection.ping()
  }

  /** The package runs its `initSql` again, and sets time zone and character set; it forgets its `sessionVariables`. */
  async resetSession(): Promise<boolean> {
    try {
      await this.connection.reset()
    } catch (error) {
      // Only the package's own refusal has no number.
      if (
        (error as { errno?: unknown }).errno === undefined &&
        /^Reset command not permitted/.test(String((error as Error).message))
      )
        return false
      throw error
    }
    if (this.#inner.opts.sessionVariables !== undefined) await this.#inner.executeSessionVariableQuery?.()
    return true
  }

  async changeUser(): Promise<void> {
    const { user, password, database } = this.#inner.opts
    // The package leaves the field out, and the server then reads another one as its name.
    if (database === undefined) throw new Error('the mariadb package cannot log in anew without a database')
    await this.connection.changeUser({ user, password, database })
  }

  /** The package's own `end` closes the socket at once: then the server still counts the session when we are done. */
  quit(): void {
    const { socket, opts } = this.#inner
    if (opts.compress === true || socket === undefined || socket === null)
      this.connection.end().catch(() => undefined)
    else socket.write(QUIT)
  }

  /**
   * After an error the package claims that a transaction is open, whatever the server has said: so each command is asked
   * at its end, when the flags are those of its own answer.
   */
  #watch(): void {
    const { receiveQueue } = this.#inner
    const { push } = receiveQueue
    receiveQueue.push = (command) => {
      command.once('end', (error) => {
        if (error !== undefined && error !== null) this.answers.noteError(error)
        else this.answers.note(this.connection.info?.status ?? 0)
      })
      return push.call(receiveQueue, command)
    }
  }
}
