import type { Row } from '../../contract/sql-driver.ts'
import { Answers } from '../mysql-family/answers.ts'
import { numberOf } from '../mysql-family/errors.ts'
import type { Speaker, Stream } from '../mysql-family/speaker.ts'
import type { Command, Core, Packet } from './core.ts'

const UNKNOWN_COMMAND = 1047

/** What is learnt about a server, for the connections to come. */
export interface Server {
  /** From before MySQL 5.7.3. */
  lacksReset: boolean
}

export class Mysql2Speaker implements Speaker {
  readonly core: Core
  readonly answers = new Answers()
  readonly #server: Server

  constructor(core: Core, server: Server) {
    this.core = core
    this.#server = server
    this.#watch()
  }

  get threadId(): number {
    return this.core.threadId
  }

  get isBusy(): boolean {
    const { _command, _commands, _paused } = this.core
    if (_commands.length > 0) return true
    if (_command === null || _command === undefined) return false
    // One that has ended stands there still while it tells of it, and expects nothing; or a pause has kept it from its start.
    return _paused || (_command.next ?? null) !== null
  }

  get isEnded(): boolean {
    return this.core._closing === true
  }

  get stream(): Stream {
    return this.core.stream
  }

  onError(told: (error: unknown) => void): void {
    this.core.on('error', told)
  }

  ask(sql: string): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const options = { sql, rowsAsArray: false, nestTables: false }
      this.core.query(options, (error, rows) => (error ? reject(error) : resolve(rows as Row[])))
    })
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.core.ping((error) => (error ? reject(error) : resolve()))
    })
  }

  async resetSession(): Promise<boolean> {
    if (this.#server.lacksReset || this.core.reset === undefined) return false
    try {
      await new Promise<void>((resolve, reject) => {
        this.core.reset?.((error) => (error ? reject(error) : resolve()))
      })
      return true
    } catch (error) {
      if (numberOf(error) !== UNKNOWN_COMMAND) throw error
      this.#server.lacksReset = true
      return false
    }
  }

  changeUser(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.core.changeUser({}, (error) => (error ? reject(error) : resolve()))
    })
  }

  quit(): void {
    this.core.end()
  }

  /** mysql2 tells nobody what the server says of the transaction, so we look at the packets that it reads. */
  #watch(): void {
    const { core } = this
    const { handlePacket } = core
    core.handlePacket = (packet) => {
      // What arrives while the connection pauses comes once more.
      if (packet !== undefined && !core._paused && core._command) this.#look(packet, core._command)
      handlePacket.call(core, packet)
    }
  }

  #look(packet: Packet, command: Command): void {
    const { buffer, offset, end } = packet
    const { next } = command
    const first = buffer[offset]
    if (first === 0xff) this.answers.noteError({ errno: buffer.readUInt16LE(offset + 1) })
    else if (next === undefined || next === null) return
    else if (first === 0xfe && next === command.row && end - offset < 9)
      this.answers.note(buffer.readUInt16LE(offset + 3))
    else if (first === 0 && isAwaitingOk(command)) {
      const rest = skipNumber(buffer, skipNumber(buffer, offset + 1))
      this.answers.note(buffer.readUInt16LE(rest))
    }
  }
}

function isAwaitingOk(command: Command): boolean {
  const { next } = command
  return (
    next === command.resultsetHeader ||
    next === command.pingResponse ||
    next === command.resetConnectionResponse ||
    next === command.infileOk
  )
}

/** Where the field behind a number of variable length begins. */
function skipNumber(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0
  return at + (first < 0xfb ? 1 : first === 0xfc ? 3 : first === 0xfd ? 4 : 9)
}
