import { InvalidOptionError } from '../../contract/errors.ts'
import { givenPackage } from '../given-package.ts'
import { loadPackage } from '../load-package.ts'
import type { OdbcConnection, OdbcModule, OdbcResult } from './client.ts'
import type { Target } from './config.ts'
import { tellWhy } from './errors.ts'
import { FAMILIES, type Family } from './family.ts'
import { Gate } from './gate.ts'
import { cancel } from './killer.ts'
import { Link, linkOf } from './link.ts'
import { clean } from './session.ts'

/** More sessions than this the driver manager has hardly kept. */
const MOST_KEPT = 200

/** Opens and closes the connections of one driver. */
export class Connector {
  readonly #target: Target
  readonly #given: OdbcModule<OdbcConnection> | undefined
  readonly #gate = Gate.shared()
  #family: Family | undefined
  /** A session that we had closed came back: the driver manager has a pool of its own. */
  #managerPools = false

  constructor(target: Target, given: unknown) {
    this.#target = target
    this.#given = given === undefined ? undefined : moduleOf(given)
    if (target.family !== undefined) this.#family = FAMILIES[target.family]
  }

  async connect(signal: AbortSignal): Promise<OdbcConnection> {
    const { connection } = await this.#open(signal)
    this.#gate.opened()
    return connection
  }

  cancel(connection: OdbcConnection): Promise<void> {
    return this.#cancel(linkOf(connection))
  }

  /**
   * Statements in flight are stopped and waited for: the package would close under them with its lock held, and with it
   * every ODBC connection of the process would stand still. Never rejects.
   */
  async close(connection: OdbcConnection): Promise<void> {
    const link = linkOf(connection)
    link.markClosing()
    this.#gate.closed()
    if (link.isRunning) await this.#cancel(link).catch(() => undefined)
    await link.quiet()
    await this.#shut(link)
  }

  /** The driver manager may keep the session, with all that is in it. */
  async #shut(link: Link): Promise<void> {
    const { family } = link
    try {
      if (!link.isLost && !link.isSilent) {
        if (family.clean !== undefined) await clean(link)
        else if (this.#managerPools && family.end !== undefined) await link.ask(family.end)
      }
    } catch {
      // Then it is closed as it is; whoever gets it next cleans it.
    }
    await this.#gate.run('freeing', () => link.connection.close()).catch(() => undefined)
  }

  #cancel(link: Link): Promise<void> {
    return cancel(link, async (signal) => {
      const assistant = await this.#open(signal)
      return { link: assistant, close: () => this.#shut(assistant) }
    })
  }

  async #open(signal: AbortSignal): Promise<Link> {
    for (let attempt = 0; attempt < MOST_KEPT; attempt++) {
      const link = await this.#raw(signal)
      try {
        if (await this.#settle(link)) {
          signal.throwIfAborted()
          return link
        }
        await this.#renew(link)
      } catch (error) {
        link.markClosing()
        await this.#gate.run('freeing', () => link.connection.close()).catch(() => undefined)
        throw signal.aborted ? signal.reason : error
      }
    }
    throw new Error('the ODBC driver manager gave used sessions again and again')
  }

  async #raw(signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted()
    const module = this.#given ?? moduleOf(loadPackage('odbc'))
    const { connectionString, loginTimeout } = this.#target
    const config = { connectionString, loginTimeout } as never
    const connection = await this.#gate.connect(signal, () => module.connect(config).catch(tellWhy))
    this.#family ??= await this.#recognised(connection)
    return new Link(connection, this.#family, this.#gate)
  }

  /** Makes a session like new, and tells whether that was possible. */
  async #settle(link: Link): Promise<boolean> {
    const { session, mark } = link.family
    if (link.family.clean !== undefined) await clean(link)
    if (session === undefined) return true
    const [row = {}] = await link.ask(session)
    if (Number(row.used ?? row.user_version ?? 0) === 1) return false
    if (row.place !== undefined) link.whereabouts = { id: row.id, place: String(row.place) }
    if (mark !== undefined) await link.ask(mark)
    return true
  }

  /** Ends a used session where its server can; the next attempt gets another one. */
  async #renew(link: Link): Promise<void> {
    this.#managerPools = true
    const { end, name } = link.family
    if (end === undefined) {
      throw new InvalidOptionError(
        'connectionString',
        `the ODBC driver manager keeps sessions of ${name} open, with all that was set in them: set Pooling=No in its odbcinst.ini, or CPTimeout=0 for this driver`,
      )
    }
    link.markClosing()
    await link.ask(end).catch(() => undefined)
    await this.#gate.run('freeing', () => link.connection.close()).catch(() => undefined)
  }

  /** ODBC would know the database's name, but the package does not pass it on. */
  async #recognised(connection: OdbcConnection): Promise<Family> {
    for (const family of Object.values(FAMILIES)) {
      const { recognise } = family
      if (recognise === undefined) continue
      try {
        const [row] = await this.#gate.run(
          'freeing',
          async () => (await connection.query(recognise.sql)) as OdbcResult,
        )
        if (recognise.by.test(String(row?.v))) return family
      } catch {
        // Another database: it does not know the question.
      }
    }
    return FAMILIES.other
  }
}

function moduleOf(given: unknown): OdbcModule<OdbcConnection> {
  return givenPackage<OdbcModule<OdbcConnection>>(given, { called: '"odbc" package', functions: ['connect'] })
}
