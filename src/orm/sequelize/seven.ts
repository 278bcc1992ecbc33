import {
  coerceVersion,
  type ErrorClasses,
  type Host,
  type SequelizePoolSettings,
  type Target,
} from './host.ts'

/** The part of a Sequelize 7 that we use. */
export interface Sequelize7 {
  readonly constructor: unknown
  readonly pool: unknown
  readonly options: { readonly replication: { readonly write: Target; readonly read: readonly Target[] } }
  readonly rawOptions: { readonly pool?: SequelizePoolSettings }
  readonly dialect: {
    readonly name: string
    readonly minimumDatabaseVersion: string
    readonly options: { readonly native?: boolean }
    readonly connectionManager: {
      connect(target: Target): Promise<object>
      disconnect(connection: object): Promise<unknown>
      validate(connection: object): boolean
    }
  }
  readonly hooks: {
    runAsync(name: string, ...args: unknown[]): Promise<unknown>
    addListener(name: string, listener: (connection: object) => void): () => void
  }
  isClosed(): boolean
  getDatabaseVersionIfExist(): string | null
  setDatabaseVersion(version: string): void
  fetchDatabaseVersion(options: object): Promise<string>
  queryRaw(sql: string, options: object): Promise<unknown>
}

export class HostOf7 implements Host {
  readonly version = '7'
  readonly #sequelize: Sequelize7
  #connectLimitMs = 0

  constructor(sequelize: Sequelize7) {
    this.#sequelize = sequelize
  }

  get owner(): object {
    return this.#sequelize
  }

  get dialect(): string {
    return this.#sequelize.dialect.name
  }

  get isNative(): boolean {
    return this.#sequelize.dialect.options.native === true
  }

  get settings(): SequelizePoolSettings {
    return this.#sequelize.rawOptions.pool ?? {}
  }

  get writer(): Target {
    return this.#sequelize.options.replication.write
  }

  get readers(): readonly Target[] {
    return this.#sequelize.options.replication.read
  }

  get errors(): ErrorClasses {
    return this.#sequelize.constructor as ErrorClasses
  }

  get isClosed(): boolean {
    return this.#sequelize.isClosed()
  }

  limitConnects(limitMs: number): void {
    if (this.dialect === 'postgres') this.#connectLimitMs = limitMs
  }

  /** What Sequelize's own pool is given for this is nowhere to be found again. */
  async connect(target: Target): Promise<object> {
    const { hooks, dialect } = this.#sequelize
    const limit = this.#connectLimitMs > 0 ? { connectionTimeoutMillis: this.#connectLimitMs } : undefined
    const options = { ...limit, ...copyOf(target) }
    await hooks.runAsync('beforeConnect', options)
    const connection = await dialect.connectionManager.connect(options)
    await hooks.runAsync('afterConnect', connection, options)
    if (!this.#sequelize.getDatabaseVersionIfExist()) await this.#learnVersion(connection)
    return connection
  }

  async disconnect(connection: object): Promise<void> {
    const { hooks, dialect } = this.#sequelize
    await hooks.runAsync('beforeDisconnect', connection)
    await dialect.connectionManager.disconnect(connection)
    await hooks.runAsync('afterDisconnect', connection)
  }

  validate(connection: object): boolean {
    return Boolean(this.#sequelize.dialect.connectionManager.validate(connection))
  }

  ask(connection: object): Promise<unknown> {
    return this.#sequelize.queryRaw('SELECT 1', { connection, logging: false })
  }

  runHooks(name: string, ...args: unknown[]): Promise<unknown> {
    return this.#sequelize.hooks.runAsync(name, ...args)
  }

  onNextAcquire(look: (connection: object) => void): void {
    const forget = this.#sequelize.hooks.addListener('afterPoolAcquire', (connection) => {
      forget()
      look(connection)
    })
  }

  async #learnVersion(connection: object): Promise<void> {
    const told = await this.#sequelize.fetchDatabaseVersion({ logging: false, connection })
    this.#sequelize.setDatabaseVersion(coerceVersion(told) ?? this.#sequelize.dialect.minimumDatabaseVersion)
  }
}

/** Hooks may change what they are given; the next connect begins anew. */
function copyOf(value: Target): Target {
  const copies = Object.entries(value).map(([key, field]) => [key, isPlain(field) ? copyOf(field) : field])
  return Object.fromEntries(copies)
}

function isPlain(value: unknown): value is Target {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
