import type { ResetDepth } from '../contract/driver.ts'
import type { BeginOptions, SavepointMove, SqlDriver } from '../contract/sql-driver.ts'
import type { Ending } from './ending.ts'

/** What a driver does on one connection, by what it knows about it. */
export interface Session<L> {
  isAlive(link: L, signal: AbortSignal): Promise<boolean>
  isDirty(link: L): boolean
  reset(link: L, how: ResetDepth): Promise<void>
  confirmStale(link: L): Promise<boolean>
  begin(link: L, options: BeginOptions): Promise<void>
  commit(link: L): Promise<void>
  rollback(link: L): Promise<void>
  savepoint(link: L, name: string, move: SavepointMove): Promise<void>
}

/** The part of a driver that is the same for all that know their connections by links. */
type Performed = Required<Pick<SqlDriver<object>, keyof Session<unknown> | 'onLost'>>

/** What a driver knows about each of the connections that it has opened. */
export class Links<L extends Ending> {
  readonly #links = new WeakMap<object, L>()

  add(connection: object, link: L): void {
    this.#links.set(connection, link)
  }

  readonly of = (connection: unknown): L => {
    const link = this.#links.get(connection as object)
    if (link === undefined) throw new TypeError('this connection was not opened by the driver it is given to')
    return link
  }

  /** `session`, for a pool that knows connections only. */
  perform(session: Session<L>): Performed {
    const { of } = this
    return {
      isAlive: (connection, { signal }) => session.isAlive(of(connection), signal),
      isDirty: (connection) => session.isDirty(of(connection)),
      reset: (connection, how) => session.reset(of(connection), how),
      confirmStale: (connection) => session.confirmStale(of(connection)),
      onLost: (connection, lost) => of(connection).onLost(lost),
      begin: (connection, options) => session.begin(of(connection), options),
      commit: (connection) => session.commit(of(connection)),
      rollback: (connection) => session.rollback(of(connection)),
      savepoint: (connection, name, move) => session.savepoint(of(connection), name, move),
    }
  }
}
