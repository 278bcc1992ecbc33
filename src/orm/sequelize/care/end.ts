interface Emitter {
  on(event: string, listener: (error?: unknown) => void): unknown
}

export function emitterOf(connection: object): Emitter | undefined {
  return typeof (connection as Partial<Emitter>).on === 'function' ? (connection as Emitter) : undefined
}

/** By the events that sockets and drivers have in common. */
export function watchEnd(connection: object, lost: (error: unknown) => void): void {
  const emitter = emitterOf(connection)
  for (const event of ['end', 'close']) emitter?.on(event, () => lost(new Error('the connection was closed')))
}
