import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Address } from './subject.ts'

/** A server in this process that a driver can be pointed at. */
export interface FarEnd {
  readonly address: Address
  /** Sockets that are open. */
  readonly open: number
  close(): Promise<void>
}

/** Passes everything on to the real server, until it is told to be silent. */
export interface Relay extends FarEnd {
  /** The connections that exist get no more answers, and are not told; new ones do. */
  silence(): void
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<Address> {
  const server = await listen(createServer())
  const { address } = server
  await server.close()
  return address
}

/** A server that accepts connections and never says anything. */
export function silentServer(): Promise<FarEnd> {
  return listen(createServer((socket) => socket.resume()))
}

export async function openRelay({ host, port }: Address): Promise<Relay> {
  let pairs: [Socket, Socket][] = []
  const server = createServer((near) => {
    const far = connect({ host, port })
    pairs.push([near, far])
    near.pipe(far)
    far.pipe(near)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  const listening = await listen(server)
  return {
    address: listening.address,
    get open() {
      return listening.open
    },
    close: () => listening.close(),
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
        // Unread, not paused: the client's end must not notice by a full buffer or by its own close being answered.
        near.on('data', () => {})
        far.on('data', () => {})
      }
      pairs = []
    },
  }
}

async function listen(server: Server): Promise<FarEnd> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: { host: '127.0.0.1', port },
    get open() {
      return sockets.size
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
