import { Socket } from 'node:net'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { Stream } from './speaker.ts'

/** Where a server listens. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string }

/** A socket of ours: known from before the package gets it until it is closed, also when a connect fails. */
export interface Wire {
  readonly stream: Stream
  readonly isClosed: boolean
  readonly closed: Promise<void>
  /** Where the other end really is: a name may lead to another server by now. */
  readonly remote: Address | undefined
  destroy(reason?: unknown): void
}

export interface KeepAlive {
  readonly isOn: boolean
  readonly delayMs: number
}

export function dial(address: Address, keepAlive: KeepAlive): Wire & { stream: Socket } {
  const socket = new WatchedSocket()
  socket.setNoDelay(true)
  if (keepAlive.isOn) socket.setKeepAlive(true, keepAlive.delayMs)
  if ('path' in address) socket.connect(address.path)
  else socket.connect(address.port, address.host)
  return {
    stream: socket,
    closed: socket.gone,
    get isClosed() {
      return socket.isGone
    },
    get remote() {
      const { remoteAddress: host, remotePort: port } = socket
      return host === undefined || port === undefined ? undefined : { host, port }
    },
    destroy: (reason) => socket.destroy(reason === undefined ? undefined : asError(reason)),
  }
}

/** A stream of the user's own: through a tunnel, for example. */
export function adopt(stream: unknown): Wire {
  const { destroy, on } = (stream ?? {}) as Partial<Stream>
  if (typeof destroy !== 'function' || typeof on !== 'function') {
    throw new InvalidOptionError('stream', `"stream" gave ${show(stream)}: it must give a socket`)
  }
  const given = stream as Stream
  given.on('error', () => undefined)
  let isClosed = false
  const closed = new Promise<void>((resolve) => {
    given.on('close', () => {
      isClosed = true
      resolve()
    })
  })
  return {
    stream: given,
    closed,
    get isClosed() {
      return isClosed
    },
    remote: undefined,
    destroy: (reason) => given.destroy(reason === undefined ? undefined : asError(reason)),
  }
}

/** The mariadb package takes all listeners off a socket that has failed; this one notices its end all the same. */
class WatchedSocket extends Socket {
  readonly gone: Promise<void>
  isGone = false
  #tell: () => void = () => undefined

  constructor() {
    super()
    this.gone = new Promise((resolve) => {
      this.#tell = resolve
    })
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'close') {
      this.isGone = true
      this.#tell()
    }
    // Nobody is left to be told, and an error that nobody listens to would end the process.
    if (event === 'error' && this.listenerCount('error') === 0) return false
    return super.emit(event, ...args)
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('the connect was aborted', { cause: reason })
}
