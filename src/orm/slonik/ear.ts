import type { EventEmitter } from 'node:events'
import type { PgClient } from '../../drivers/pg/client.ts'

/** Who wants to know what a client says by itself. */
export interface Hearer {
  onError(error: Error): void
  onNotice(notice: { message?: string }): void
}

/** What a client says is told to whoever has it: listeners for each use would cost more than borrowing does. */
export interface Ear {
  hearer: Hearer | undefined
}

const ears = new WeakMap<PgClient, Ear>()

export function earOf(client: PgClient): Ear {
  const known = ears.get(client)
  if (known !== undefined) return known
  const ear: Ear = { hearer: undefined }
  ears.set(client, ear)
  const emitter = client as unknown as EventEmitter
  emitter.on('error', (error) => ear.hearer?.onError(error))
  emitter.on('notice', (notice) => ear.hearer?.onNotice(notice))
  return ear
}
