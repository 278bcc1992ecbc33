import { randomUUID } from 'node:crypto'
import type { OracleConnection, OraclePackage, OraclePool } from './client.ts'
import type { Target } from './config.ts'
import { classify } from './errors.ts'

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
  #ride: Ride | undefined
  readonly #rides = new WeakMap<OracleConnection, Ride>()

  constructor(module: OraclePackage, target: Target) {
    this.#module = module
    this.#target = target
  }

  async connect(): Promise<OracleConnection> {
    if (this.#ride === undefined || this.#ride.isOver)
      this.#ride = new Ride(this.#create(), this.#target.drcp?.lingerMs ?? 0)
    const ride = this.#ride
    const connection = await ride.connect()
    this.#rides.set(connection, ride)
    return connection
  }

  /** Its session has been given back. */
  closed(connection: OracleConnection): void {
    this.#rides.get(connection)?.left()
  }

  async #create(): Promise<OraclePool> {
    // The queue's timeout would bound connecting, too: 0 is none.
    const limits = { poolMin: 0, poolMax: NO_LIMIT, poolIncrement: 1, queueTimeout: 0 }
    // Without a name the package would take it for the program's own default pool.
    const poolAlias = `rockpool-${randomUUID()}`
    const attributes = { ...(await this.#target.attributes()), ...limits, poolAlias }
    return (await this.#module.createPool(attributes as never)) as OraclePool
  }
}

/** One pool of the package, which knows one password. */
class Ride {
  /** Takes nobody any more. */
  isOver = false
  readonly #pool: Promise<OraclePool>
  readonly #lingerMs: number
  #inUse = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(pool: Promise<OraclePool>, lingerMs: number) {
    this.#pool = pool
    this.#lingerMs = lingerMs
  }

  async connect(): Promise<OracleConnection> {
    clearTimeout(this.#timer)
    this.#inUse++
    try {
      return await (await this.#pool).getConnection()
    } catch (error) {
      // The password may be another one by now: the next pool asks for it.
      if (classify(error, 'connect') === 'permanent' || !(await this.#exists())) this.isOver = true
      this.left()
      throw error
    }
  }

  /** When nothing has been in use for a while, the sockets go too. */
  left(): void {
    this.#inUse--
    if (this.#inUse > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#end(), this.isOver ? 0 : this.#lingerMs)
    this.#timer.unref()
  }

  #exists(): Promise<boolean> {
    return this.#pool.then(
      () => true,
      () => false,
    )
  }

  async #end(): Promise<void> {
    this.isOver = true
    try {
      await (await this.#pool).close(0)
    } catch {
      // Nobody waits for it, and nothing of it is lent.
    }
  }
}
