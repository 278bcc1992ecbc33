import type { Host } from './host.ts'
import { asSequelizeError } from './refusals.ts'
import type { Side } from './side.ts'

/** What Sequelize keeps as its pool: one for writing, and with replicas one for reading. */
class Replication {
  readonly read: Side | null
  readonly write: Side
  protected readonly host: Host

  constructor(host: Host, write: Side, read: Side | null) {
    this.host = host
    this.write = write
    this.read = read
  }

  get size(): number {
    return this.#sum((side) => side.size)
  }

  get available(): number {
    return this.#sum((side) => side.available)
  }

  get using(): number {
    return this.#sum((side) => side.using)
  }

  get waiting(): number {
    return this.#sum((side) => side.waiting)
  }

  get maxSize(): number {
    return this.#sum((side) => side.maxSize)
  }

  get minSize(): number {
    return this.#sum((side) => side.minSize)
  }

  lends(connection: object): boolean {
    return this.#sides().some((side) => side.lends(connection))
  }

  release(connection: object): void {
    for (const side of this.#sides()) side.release(connection)
  }

  async destroy(connection: object): Promise<void> {
    await Promise.all(this.#sides().map((side) => side.destroy(connection)))
  }

  async drain(): Promise<void> {
    await Promise.all(this.#sides().map((side) => side.drain()))
  }

  async destroyAllNow(): Promise<void> {
    await Promise.all(this.#sides().map((side) => side.destroyAllNow()))
  }

  getPool(type: 'read' | 'write'): Side {
    return type === 'read' && this.read !== null ? this.read : this.write
  }

  protected async lend(type: 'read' | 'write'): Promise<object> {
    try {
      return await this.getPool(type).acquire()
    } catch (error) {
      throw asSequelizeError(error, this.host.errors)
    }
  }

  #sides(): Side[] {
    return this.read === null ? [this.write] : [this.write, this.read]
  }

  #sum(count: (side: Side) => number): number {
    return this.#sides().reduce((sum, side) => sum + count(side), 0)
  }
}

export class ReplicationOf6 extends Replication {
  acquire(queryType?: string, useMaster = false): Promise<object> {
    return this.lend(queryType === 'SELECT' && !useMaster ? 'read' : 'write')
  }
}

/** Here the hooks are the pool's to run. */
export class ReplicationOf7 extends Replication {
  async acquire(given?: { type?: 'read' | 'write'; useMaster?: boolean }): Promise<object> {
    const options = { ...given }
    await this.host.runHooks('beforePoolAcquire', options)
    const { type = 'write', useMaster = false } = Object.freeze(options)
    const connection = await this.lend(useMaster ? 'write' : type)
    try {
      await this.host.runHooks('afterPoolAcquire', connection, options)
      return connection
    } catch (error) {
      // Nobody else will give it back.
      this.release(connection)
      throw error
    }
  }

  override async destroyAllNow(): Promise<void> {
    if (this.host.isClosed) await this.drain()
    else await super.destroyAllNow()
  }
}

export type PoolOfSequelize = ReplicationOf6 | ReplicationOf7
