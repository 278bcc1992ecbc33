import { show } from '../contract/check.ts'
import { InvalidOptionError } from '../contract/errors.ts'
import type { SqlDriver } from '../contract/sql-driver.ts'
import { resolvePackage } from './load-package.ts'
import { mariadb } from './mariadb/index.ts'
import { mysql2 } from './mysql2/index.ts'
import { odbc } from './odbc/index.ts'
import { oracledb } from './oracledb/index.ts'
import { pg } from './pg/index.ts'
import { sqlite } from './sqlite/index.ts'
import { tedious } from './tedious/index.ts'

/** Which URL means which driver. */
const SCHEMES: Readonly<Record<string, (url: string) => SqlDriver<unknown>>> = {
  postgres: (url) => pg(url),
  postgresql: (url) => pg(url),
  sqlite: (url) => sqlite(url),
  odbc: (url) => odbc(url),
  oracle: (url) => oracledb(url),
  sqlserver: (url) => tedious(url),
  mssql: (url) => tedious(url),
  mysql: (url) => (isInstalled('mysql2') || !isInstalled('mariadb') ? mysql2(url) : mariadb(url)),
  mariadb: (url) => (isInstalled('mariadb') || !isInstalled('mysql2') ? mariadb(url) : mysql2(url)),
}

/** The driver for a URL, by its scheme; the driver's package is loaded when the first connection is opened. */
export function driverFor(url: string | URL): SqlDriver<unknown> {
  const text = url instanceof URL ? url.href : url
  if (typeof text !== 'string') {
    throw new InvalidOptionError(
      'url',
      `the URL of the database is ${show(text)}: it must be a text like ${EXAMPLE}`,
    )
  }
  if (text.trim() === '') {
    throw new InvalidOptionError('url', `the URL of the database is empty: it must be a text like ${EXAMPLE}`)
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    // The text itself may hold a password.
    throw new InvalidOptionError('url', `the URL of the database does not begin with a scheme: ${known()}`)
  }
  const driver = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined
  if (driver === undefined) {
    throw new InvalidOptionError('url', `no driver for URLs that begin with "${scheme}:": ${known()}`)
  }
  return driver(text)
}

/** Either package speaks to either server: where only one is there, it serves both. */
function isInstalled(name: string): boolean {
  try {
    resolvePackage(name)
    return true
  } catch {
    return false
  }
}

const EXAMPLE = 'postgres://user:password@host:5432/database'

function known(): string {
  return `known are ${Object.keys(SCHEMES)
    .map((scheme) => `${scheme}:`)
    .join(', ')}`
}
