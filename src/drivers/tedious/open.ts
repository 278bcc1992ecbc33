import { InvalidOptionError, PoolError } from '../../contract/errors.ts'
import { givenPackage } from '../given-package.ts'
import type { Package, Socket, TediousConnection } from './client.ts'
import type { Target } from './config.ts'
import { noteRefusal } from './errors.ts'
import { Link } from './link.ts'
import { dial, type Wire, watch } from './wire.ts'

/** Opens a connection; whatever goes wrong, and however late it is aborted, no socket stays behind. */
export async function open(given: Package, target: Target, signal: AbortSignal): Promise<TediousConnection> {
  signal.throwIfAborted()
  const { options, ...config } = await target.config()
  signal.throwIfAborted()
  const line = new Line(config.server, options, signal)
  const connection = create(given, { ...config, options: { ...options, connector: line.connector } })
  line.connection = connection
  try {
    checkOptions(connection, target.options)
    await Promise.race([login(connection, options), line.dropped])
    return new Link(connection, given, line.wire as Wire).connection
  } catch (error) {
    line.drop()
    await line.wire?.closed
    throw signal.aborted ? signal.reason : error
  } finally {
    line.keep()
  }
}

export function packageOf(given: unknown): Package {
  return givenPackage<Package>(given, { called: '"tedious" package', functions: ['Connection', 'Request'] })
}

/** What tedious throws at once is about its options. */
function create({ Connection }: Package, config: object): TediousConnection {
  try {
    return new Connection(config)
  } catch (error) {
    if (error instanceof PoolError) throw error
    throw new InvalidOptionError('config', `tedious refuses its options: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** tedious looks past what it does not know, such as an option with a misspelt name. */
function checkOptions({ config }: TediousConnection, given: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(given).find((name) => !(name in config.options))
  if (unknown !== undefined)
    throw new InvalidOptionError(unknown, `"${unknown}" is not an option of tedious, nor of this driver`)
}

/** With `encrypt: true` tedious goes on without TLS where the server, or somebody in between, says that it has none. */
async function login(connection: TediousConnection, { encrypt }: Record<string, unknown>): Promise<void> {
  let isSecure = false
  let refusal: number | undefined
  connection.on('secure', () => {
    isSecure = true
  })
  connection.on('errorMessage', ({ number }: { number: number }) => {
    refusal ??= number
  })
  // Errors may come more than once.
  connection.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => {
      if (!error) return resolve()
      noteRefusal(error, refusal)
      reject(error)
    })
  })
  if (isSecure || encrypt === false || encrypt === 'strict') return
  connection.close()
  throw new InvalidOptionError(
    'encrypt',
    '"encrypt" is true, but the server did not encrypt: say encrypt=false where that is meant',
  )
}

/** The way to the server while a connect is on its way. */
class Line {
  wire: Wire | undefined
  connection: TediousConnection | undefined
  readonly #server: string
  readonly #options: Record<string, unknown>
  readonly #signal: AbortSignal
  #dropped: () => void = () => undefined
  /** Rejects as soon as nobody waits for the connect any more. */
  readonly dropped: Promise<never>

  constructor(server: string, options: Record<string, unknown>, signal: AbortSignal) {
    this.#server = server
    this.#options = options
    this.#signal = signal
    this.dropped = new Promise((_, reject) => {
      this.#dropped = () => reject(signal.reason)
    })
    this.dropped.catch(() => undefined)
    signal.addEventListener('abort', this.drop, { once: true })
  }

  /** What tedious calls in place of its own dialling; before version 19 it did not say where to. */
  readonly connector = async (to?: { host?: string; port?: number }): Promise<unknown> => {
    this.#signal.throwIfAborted()
    const own = this.#options.connector as ((...args: unknown[]) => Promise<Socket>) | undefined
    if (own !== undefined) {
      const socket = await own(to)
      this.#take(watch(socket))
      return socket
    }
    const redirected = this.connection?.routingData
    const { wire, connected } = dial({
      host: to?.host ?? redirected?.server ?? this.#server,
      port: to?.port ?? redirected?.port ?? (this.#options.port as number),
      localAddress: this.#options.localAddress as string | undefined,
    })
    this.#take(wire)
    return connected
  }

  /** With an error: of a socket that just closes tedious takes no notice while it connects, and would wait for ever. */
  readonly drop = (): void => {
    this.wire?.socket.destroy(new Error('the connect was given up', { cause: this.#signal.reason }))
    this.#dropped()
  }

  /** The connect is over. */
  keep(): void {
    this.#signal.removeEventListener('abort', this.drop)
  }

  #take(wire: Wire): void {
    this.wire = wire
    if (this.#signal.aborted) this.drop()
  }
}
