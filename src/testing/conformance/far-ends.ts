import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Address } from './subject.ts'

/** A server in this process that a driver can be pointed at. */
export interface FarEnd {
  readonly address: Address
  /** How many clients have not ended their side. */
  open(): number
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
  // Half-open, so that a client that says goodbye to a silent server is not answered by its socket.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port, allowHalfOpen: true })
    pairs.push([near, far])
    near.pipe(far).on('error', () => near.destroy())
    far.pipe(near).on('error', () => far.destroy())
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  const listening = await listen(server)
  return {
    ...listening,
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
        // Read on, or the end of the client would not be seen.
        near.resume()
        far.resume()
      }
      pairs = []
    },
  }
}

async function listen(server: Server): Promise<FarEnd> {
  const sockets = new Set<Socket>()
  const waiting = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    const left = () => waiting.delete(socket)
    waiting.add(socket)
    socket.on('error', () => {}).on('end', left)
    socket.on('close', () => {
      left()
      sockets.delete(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: { host: '127.0.0.1', port },
    open: () => waiting.size,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
