import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { drawLatency, type Latency } from '../latency.ts'
import { Random } from '../random.ts'
import { SqlError, sqlErrors } from '../tsql/error.ts'
import { Locks } from '../tsql/locks.ts'
import { type Host, Session } from '../tsql/session.ts'
import type { Table } from '../tsql/table.ts'
import { Timeline } from '../tsql/transaction.ts'
import { type Reception, TdsConnection } from './connection.ts'
import type { Login } from './login.ts'
import type { Message } from './packet.ts'

export interface TdsServerOptions {
  /** Default: one that is free. */
  port?: number
  /** Default `127.0.0.1`. */
  host?: string
  /** Who may log in, with which password. Default `{ sa: 'secret' }`. */
  logins?: Readonly<Record<string, string>>
  /** Default `['master', 'tempdb', 'app']`; the first one is for clients that name none. */
  databases?: readonly string[]
  /** Sessions that the server takes; one more is refused with error 17809. Default: any number. */
  maxConnections?: number
  /** How long every answer takes, in ms. Default 0. */
  latencyMs?: Latency
}

/** A message that has reached the server. */
export interface TdsLogEntry {
  readonly spid: number
  /** The text of a batch; a procedure and its statement; `begin`, `commit`, `rollback`, `save`; `attention`; `ignored`. */
  readonly says: string
  /** What the header asked for. */
  readonly reset: Message['reset']
  /** In how many packets it came. */
  readonly packets: number
}

/**
 * A server that speaks TDS 7.4, the protocol of SQL Server, without TLS: login, batches, procedure calls, prepared
 * statements, transactions, attentions and resets as the protocol has them. Behind it is a small T-SQL in memory, with row
 * locks, deadlocks, snapshots and temporary tables: enough to see what a client does, not to run a program on.
 */
export class TdsServer {
  readonly host: string
  /** Every message since the start; may be emptied. */
  readonly log: TdsLogEntry[] = []
  /** What a client sent, or this server did, that the server did not understand; each has cost a connection. */
  readonly defects: unknown[] = []
  /** Refuses to write, as a replica does: error 3906. */
  isReadOnly = false
  maxConnections: number
  latencyMs: Latency
  /** The next logins, one each, are refused with these errors; `reset` = the socket just dies. */
  readonly refusals: (SqlError | 'reset')[] = []
  readonly #logins: Readonly<Record<string, string>>
  readonly #databases: readonly string[]
  readonly #listener = createServer()
  readonly #connections = new Set<TdsConnection>()
  readonly #sessions = new Map<number, { session: Session; connection: TdsConnection }>()
  readonly #random = new Random(0)
  readonly #shared: Host
  #spids = 50

  constructor(options: TdsServerOptions = {}) {
    this.host = options.host ?? '127.0.0.1'
    this.maxConnections = options.maxConnections ?? Number.POSITIVE_INFINITY
    this.latencyMs = options.latencyMs ?? 0
    this.#logins = options.logins ?? { sa: 'secret' }
    this.#databases = options.databases ?? ['master', 'tempdb', 'app']
    this.#shared = this.#makeHost()
    this.#listener.on('connection', (socket) => {
      this.#connections.add(new TdsConnection(socket, this.#reception))
    })
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Sessions that are logged in; those of one program, where its name is given. */
  sessions(application?: string): number {
    const all = [...this.#sessions.values()]
    return all.filter(({ session }) => application === undefined || session.login.application === application)
      .length
  }

  /** `sqlserver://sa:secret@127.0.0.1:49152;encrypt=false` */
  url(more = ''): string {
    const [user = 'sa', password = ''] = Object.entries(this.#logins)[0] ?? []
    return `sqlserver://${user}:${encodeURIComponent(password)}@${this.host}:${this.port};encrypt=false${more}`
  }

  async listen(port = 0): Promise<this> {
    this.#listener.listen(port, this.host)
    await once(this.#listener, 'listening')
    return this
  }

  /** KILL: ends a session, whose client is told; false where there is none. */
  kill(spid: number): boolean {
    const found = this.#sessions.get(spid)
    this.#sessions.delete(spid)
    found?.connection.kill()
    return found !== undefined
  }

  /** The socket of a session dies, without a word; of all sessions, where none is named. */
  cut(spid?: number): void {
    for (const connection of this.#connections) {
      if (spid === undefined || connection.spid === spid) connection.socket.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const { socket } of this.#connections) socket.destroy()
    await closed
  }

  readonly #reception: Reception = {
    admit: (login, connection) => this.#admit(login, connection),
    leave: (connection) => {
      this.#connections.delete(connection)
      if (this.#sessions.get(connection.spid)?.connection === connection)
        this.#sessions.delete(connection.spid)
    },
    note: ({ spid }, { reset, packets }, says) => this.log.push({ spid, says, reset, packets }),
    latencyMs: () => drawLatency(this.latencyMs, this.#random),
    baffled: (error) => void this.defects.push(error),
  }

  #admit(login: Login, connection: TdsConnection): Session {
    const { user, password, database = '' } = login
    const refusal = this.refusals.shift()
    if (refusal instanceof SqlError) throw refusal
    if (refusal === 'reset') {
      connection.socket.resetAndDestroy()
      throw sqlErrors.loginFailed(user)
    }
    if (!Object.hasOwn(this.#logins, user) || this.#logins[user] !== password)
      throw sqlErrors.loginFailed(user)
    const found = this.#databases.find((name) => name.toLowerCase() === database.toLowerCase())
    if (database !== '' && found === undefined) throw sqlErrors.cannotOpen(database)
    if (this.#sessions.size >= this.maxConnections) throw sqlErrors.tooMany()
    const session = new Session(++this.#spids, {
      login,
      host: this.#shared,
      database: found ?? this.#databases[0] ?? 'master',
    })
    this.#sessions.set(session.spid, { session, connection })
    return session
  }

  #makeHost(): Host {
    const server = this
    const sessions = this.#sessions
    const tables = new Map<string, Table>()
    return {
      version: 'Microsoft SQL Server 2022 - 16.0.1000.6 (rockpool: only its protocol, in memory)',
      get isReadOnly() {
        return server.isReadOnly
      },
      databases: new Set(this.#databases.map((name) => name.toLowerCase())),
      tables,
      locks: new Locks(),
      timeline: new Timeline(),
      get sessions() {
        return new Map([...sessions].map(([spid, { session }]) => [spid, session]))
      },
      kill: (spid) => this.kill(spid),
    }
  }
}

/** Starts a server that speaks TDS, for tests of whatever talks to SQL Server. */
export function startTdsServer(options: TdsServerOptions = {}): Promise<TdsServer> {
  return new TdsServer(options).listen(options.port ?? 0)
}
