import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Address } from './subject.ts'

/** A server in this process that a driver can be pointed at. */
export interface FarEnd {
  readonly address: Address
  /** How many clients are connected. */
  open(): number
  close(): Promise<void>
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
    open: () => sockets.size,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
