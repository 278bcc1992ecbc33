import { Socket } from 'node:net'
import type { Socket as AnySocket } from './client.ts'

/** A socket, known from before tedious gets it until it is closed, also when a connect fails. */
export interface Wire {
  readonly socket: AnySocket
  readonly closed: Promise<void>
}

interface Address {
  readonly host: string
  readonly port: number
  readonly localAddress?: string | undefined
}

/** Dials by itself, since tedious cannot be told to stop dialling. */
export function dial({ host, port, localAddress }: Address): { wire: Wire; connected: Promise<Socket> } {
  const socket = new Socket()
  socket.setNoDelay(true)
  const wire = watch(socket)
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the socket was closed before it was connected')))
  })
  socket.connect(localAddress === undefined ? { host, port } : { host, port, localAddress })
  return { wire, connected }
}

export function watch(socket: AnySocket): Wire {
  // Somebody must always listen, or an error of the socket would end the process.
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
  })
  return { socket, closed }
}
