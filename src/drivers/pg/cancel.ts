import { isIP } from 'node:net'
import type { PgClient, PgConnection, PgStream } from './client.ts'
import { linkOf } from './link.ts'
import { copyOf } from './tls.ts'

/** How long a statement is asked to stop before it is left alone; each request may take as long. */
const LIMIT_MS = 5_000
/** A backend stops within a millisecond or two; one that does not is asked again, ever more seldom. */
const FIRST_PAUSE_MS = 10

type ConnectionClass = new (options: object) => PgConnection

/**
 * Asks the server to stop what runs on this connection, on a socket of its own. The server signals the backend before
 * it closes that socket, and a signal is taken before anything that is read later: once the close is seen here, a
 * statement sent afterwards cannot be hit. One more round trip would prove nothing further.
 *
 * Resolves when the statement has ended, or does not listen; rejects when a request may still arrive: then nothing else
 * may run on the connection.
 */
export async function cancel(client: PgClient, limitMs = LIMIT_MS): Promise<void> {
  const link = linkOf(client)
  if (!link.isClosed) await link.cancelling(insist(client, limitMs))
}

/** A signal that overtakes the statement finds an idle backend, which ignores it: one request may be too early. */
export async function insist(client: PgClient, limitMs: number): Promise<void> {
  const link = linkOf(client)
  const hasEnded = link.watchStatement()
  const deadline = performance.now() + limitMs
  for (let pause = FIRST_PAUSE_MS; !hasEnded(); pause *= 2) {
    if (performance.now() >= deadline) return
    await requestCancel(client, limitMs)
    if (!hasEnded()) await link.changeWithin(pause)
  }
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
    const timer = setTimeout(() => fail(new Error(`no answer within ${Math.round(limitMs)} ms`)), limitMs)
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
  const { makeStream, peer } = linkOf(client)
  return makeStream === undefined && peer !== undefined ? peer : client
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
