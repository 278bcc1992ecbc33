import { InvalidOptionError } from '../../contract/errors.ts'
import type { PgClient, PgClientClass } from './client.ts'
import type { Target } from './config.ts'
import { refusesEncryption } from './errors.ts'
import { Link } from './link.ts'

/** Opens a connection; `sslmode=prefer` and `allow` have two ways to try. */
export async function open(Client: PgClientClass, target: Target, signal: AbortSignal): Promise<PgClient> {
  signal.throwIfAborted()
  const attempts = [...target.tls.attempts]
  for (;;) {
    const tls = attempts.shift() === true
    try {
      return await openClient(Client, { ...target.options, ...(await protection(target, tls)) }, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (attempts.length === 0 || !refusesEncryption(error)) throw error
    }
  }
}

/** `ssl` is always given: without it pg would look at the environment again, and read PGSSLMODE in its own way. */
async function protection({ options, tls }: Target, isOn: boolean): Promise<object> {
  if (!isOn) return { ssl: false, sslnegotiation: 'postgres' }
  return { ssl: await tls.options(), sslnegotiation: options.sslnegotiation ?? 'postgres' }
}

/** One attempt to connect a client with these options of its own. */
export async function openClient(
  Client: PgClientClass,
  options: { stream?: unknown },
  signal: AbortSignal,
): Promise<PgClient> {
  signal.throwIfAborted()
  const client = new Client(options)
  if (typeof client.connection?.stream?.destroy !== 'function') {
    throw new InvalidOptionError(
      'module',
      'the native client of pg cannot be pooled: use its JavaScript client',
    )
  }
  const link = new Link(client, options.stream)
  const destroy = () => link.destroy()
  signal.addEventListener('abort', destroy, { once: true })
  try {
    await client.connect()
    return client
  } catch (error) {
    link.markClosing()
    destroy()
    await link.closed
    throw error
  } finally {
    signal.removeEventListener('abort', destroy)
  }
}
