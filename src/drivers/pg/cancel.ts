import { isIP } from 'node:net'
import type { PgClient, PgConnection, PgStream } from './client.ts'
import { linkOf } from './link.ts'
import { copyOf } from './tls.ts'

/** A server that takes longer to read sixteen bytes is not there. */
const LIMIT_MS = 5_000

type ConnectionClass = new (options: object) => PgConnection

/**
 * Asks the server to stop what runs on this connection, on a socket of its own. The server signals the backend before
 * it closes that socket, and a signal is taken before anything that is read later: once the close is seen here, a
 * statement sent afterwards cannot be hit. One more round trip would prove nothing further.
 *
 * Rejects when the request may still arrive: then nothing else may run on the connection.
 */
export async function cancel(client: PgClient): Promise<void> {
  const link = linkOf(client)
  if (!link.isClosed) await link.cancelling(requestCancel(client, LIMIT_MS))
}

/** Resolves when the server has been told, or cannot be. */
export function requestCancel(client: PgClient, limitMs: number): Promise<void> {
  const { processID, secretKey } = client
  if (processID === null || secretKey === null) return Promise.resolve()
  const connection = connectionLike(client)
  const socket = connection.stream
  let isSent = false
  return new Promise<void>((resolve, reject) => {
    let failure: Error | undefined
    const fail = (error: Error) => {
      failure ??= error
      destroyBoth(connection, socket)
    }
    const send = () => {
      isSent = true
      connection.cancel(processID, secretKey)
    }
    const timer = setTimeout(() => fail(new Error(`no answer within ${limitMs} ms`)), limitMs)
    connection.on('error', fail)
    connection.on('end', () => {
      clearTimeout(timer)
      // A request that never left cannot hit anything: the statement just goes on.
      if (failure === undefined || !isSent || isReset(failure)) resolve()
      else reject(new Error('the cancel request may still arrive', { cause: failure }))
    })
    connection.on('connect', () => {
      if (!client.ssl) send()
      else if (client.sslNegotiation !== 'direct') connection.requestSsl()
    })
    connection.on('sslconnect', send)
    const { host, port } = addressOf(client)
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
    else connection.connect(port, host)
  })
}

function connectionLike(client: PgClient): PgConnection {
  const Connection = client.connection.constructor as unknown as ConnectionClass
  const stream = linkOf(client).makeStream
  return new Connection({ stream, ssl: tlsOf(client), sslNegotiation: client.sslNegotiation })
}

/** The very server of this connection: its name may lead to another one by now. */
function addressOf(client: PgClient): { host: string; port: number } {
  if (client.host.startsWith('/') || linkOf(client).makeStream !== undefined) return client
  const { remoteAddress = client.host, remotePort = client.port } = client.connection.stream
  return { host: remoteAddress, port: remotePort }
}

/** As we connect to an address, the certificate must still be checked against the name. */
function tlsOf(client: PgClient): boolean | object {
  if (!client.ssl) return false
  const options = client.ssl === true ? {} : copyOf(client.ssl as object)
  return isIP(client.host) === 0 ? { servername: client.host, ...options } : { host: client.host, ...options }
}

/** The server has closed its side, after the signal, with bytes of ours unread. */
function isReset(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNRESET'
}

function destroyBoth(connection: PgConnection, socket: PgStream): void {
  connection.stream.destroy()
  socket.destroy()
}
