import type { Server } from '../../harness/scenario.ts'

/** An ORM made ready: one lookup of a row of `accounts` by its primary key, mapped as its users would have it. */
export interface OpenOrm {
  lookup(id: number): Promise<unknown>
  close(): Promise<unknown>
}

/** The same ORM twice: on a rockpool pool, and on the pool that it comes with; ten connections each. */
export interface OrmSubject {
  ours(server: Server): Promise<OpenOrm>
  theirs(server: Server): Promise<OpenOrm>
}
