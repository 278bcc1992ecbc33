import { randomUUID } from 'node:crypto'
import type { OracleConnection, OraclePackage, OraclePool } from './client.ts'
import type { Target } from './config.ts'

/** More connections than this no pool of ours has. */
const NO_LIMIT = 10_000

/**
 * Rides on the server's pool. Only the package's own pool gives a session back to the server and keeps the socket: so
 * connections come from one of those, without limits, and "closing" one is giving its session back. With `maxIdle: 0` our
 * pool does so at every return.
 */
export class DrcpRider {
  readonly #module: OraclePackage
  readonly #target: Target
  #pool: Promise<OraclePool> | undefined
  #inUse = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(module: OraclePackage, target: Target) {
    this.#module = module
    this.#target = target
  }

  async connect(): Promise<OracleConnection> {
    clearTimeout(this.#timer)
    this.#inUse++
    try {
      this.#pool ??= this.#create()
      return await (await this.#pool).getConnection()
    } catch (error) {
      this.closed()
      throw error
    }
  }

  /** When nothing has been in use for a while, the sockets go too. */
  closed(): void {
    this.#inUse--
    if (this.#inUse > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#end(), this.#target.drcp?.lingerMs ?? 0)
    this.#timer.unref()
  }

  async #create(): Promise<OraclePool> {
    try {
      // The queue's timeout would bound connecting, too: 0 is none.
      const limits = { poolMin: 0, poolMax: NO_LIMIT, poolIncrement: 1, queueTimeout: 0 }
      // Without a name the package would take it for the program's own default pool.
      const poolAlias = `rockpool-${randomUUID()}`
      const attributes = { ...(await this.#target.attributes()), ...limits, poolAlias }
      return (await this.#module.createPool(attributes as never)) as OraclePool
    } catch (error) {
      this.#pool = undefined
      throw error
    }
  }

  async #end(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    try {
      await (await pool)?.close(0)
    } catch {
      // Nobody waits for it, and nothing of it is lent.
    }
  }
}
