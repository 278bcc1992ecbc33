import {
  coerceVersion,
  type ErrorClasses,
  type Host,
  type SequelizePoolSettings,
  type Target,
} from './host.ts'

/** The part of a Sequelize 6 that we use. */
export interface Sequelize6 {
  readonly constructor: unknown
  readonly options: { databaseVersion: string | number }
  readonly config: { readonly native?: boolean; readonly pool?: SequelizePoolSettings }
  readonly connectionManager: ConnectionManager6
  getDialect(): string
  databaseVersion(options: object): Promise<string>
  query(sql: string, options: object): Promise<unknown>
  runHooks(name: string, ...args: unknown[]): Promise<unknown>
  addHook(type: string, name: string, hook: (connection: object) => void): unknown
  removeHook(type: string, name: string): unknown
}

export interface ConnectionManager6 {
  pool: unknown
  /** While it is there, Sequelize asks nobody else for the server's version. */
  versionPromise: Promise<unknown> | null
  readonly config: Target & { replication?: Replication }
  readonly dialect: { readonly defaultVersion: string }
  lib: object
  connect(target: Target): Promise<object>
  _connect(target: Target): Promise<object>
  _disconnect(connection: object): Promise<unknown>
  _validate(connection: object): boolean
}

interface Replication {
  readonly write: Target
  readonly read: readonly Target[]
}

const HOOK = 'rockpool'

export class HostOf6 implements Host {
  readonly version = '6'
  readonly #sequelize: Sequelize6

  constructor(sequelize: Sequelize6) {
    this.#sequelize = sequelize
    // Sequelize would open a connection beside the pool for this, with no limit in time.
    this.manager.versionPromise = Promise.resolve()
  }

  get sequelize(): Sequelize6 {
    return this.#sequelize
  }

  get manager(): ConnectionManager6 {
    return this.#sequelize.connectionManager
  }

  get owner(): object {
    return this.manager
  }

  get dialect(): string {
    return this.#sequelize.getDialect()
  }

  get isNative(): boolean {
    return this.#sequelize.config.native === true
  }

  get settings(): SequelizePoolSettings {
    return this.#sequelize.config.pool ?? {}
  }

  get writer(): Target {
    return this.manager.config.replication?.write ?? this.manager.config
  }

  get readers(): readonly Target[] {
    return this.manager.config.replication?.read ?? []
  }

  get errors(): ErrorClasses {
    return this.#sequelize.constructor as ErrorClasses
  }

  /** Its `close` puts something of its own in the way. */
  readonly isClosed = false

  limitConnects(limitMs: number): void {
    if (this.dialect !== 'postgres') return
    for (const target of [this.writer, ...this.readers]) {
      target.dialectOptions = { connectionTimeoutMillis: limitMs, ...(target.dialectOptions as object) }
    }
  }

  async connect(target: Target): Promise<object> {
    const connection = await this.manager._connect(target)
    await this.learnVersion(connection)
    return connection
  }

  /** Drivers that are not told it at login have to ask. */
  async learnVersion(connection: object): Promise<void> {
    const { options } = this.#sequelize
    if (options.databaseVersion !== 0) return
    const told = await this.#sequelize.databaseVersion(on(connection))
    options.databaseVersion = coerceVersion(told) ?? this.manager.dialect.defaultVersion
  }

  disconnect(connection: object): Promise<unknown> {
    return this.manager._disconnect(connection)
  }

  validate(connection: object): boolean {
    return Boolean(this.manager._validate(connection))
  }

  ask(connection: object): Promise<unknown> {
    const sql = this.dialect === 'oracle' ? 'SELECT 1 FROM DUAL' : 'SELECT 1'
    return this.#sequelize.query(sql, on(connection))
  }

  runHooks(name: string, ...args: unknown[]): Promise<unknown> {
    return this.#sequelize.runHooks(name, ...args)
  }

  onNextAcquire(look: (connection: object) => void): void {
    this.#sequelize.addHook('afterPoolAcquire', HOOK, (connection) => {
      this.#sequelize.removeHook('afterPoolAcquire', HOOK)
      look(connection)
    })
  }
}

/** Options of a statement of ours: on this connection, and in no log. */
function on(connection: object): object {
  const logging = Object.assign(() => undefined, { __testLoggingFn: true })
  return { transaction: { connection }, type: 'SELECT', raw: true, logging }
}
