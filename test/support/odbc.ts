import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { cached } from '../../scripts/cached.mjs'
import { succeed } from '../../scripts/pack.mjs'
import { npm } from '../../scripts/run.mjs'
import type { OdbcConnection, OdbcModule } from '../../src/drivers/odbc/index.ts'

const HEADERS = ['/usr/include/sql.h', '/usr/local/include/sql.h', '/opt/homebrew/include/sql.h']

const installed = odbcDrivers()
const HAS_COMPILER = ['c++', 'make'].every((program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program))),
)

/** Why the tests of this ODBC driver cannot run here; undefined where they can. */
export function problemWith(driver: string): string | undefined {
  if (!HAS_COMPILER)
    return 'there is no C++ compiler for the odbc package (Debian: apt-get install g++ make python3)'
  if (!HEADERS.some(existsSync))
    return 'unixODBC and its headers are not installed (Debian: apt-get install unixodbc-dev)'
  if (!installed.includes(driver))
    return `the ODBC driver "${driver}" is not installed (Debian: apt-get install odbc-postgresql odbc-mariadb libsqliteodbc)`
  return undefined
}

function odbcDrivers(): string[] {
  try {
    const listed = execFileSync('odbcinst', ['-q', '-d'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return [...listed.matchAll(/\[(.+)\]/g)].map(([, name]) => name as string)
  } catch {
    return []
  }
}

/** Where unixODBC keeps its list of drivers. */
export function odbcinstFile(): string {
  const told = execFileSync('odbcinst', ['-j'], { encoding: 'utf8' })
  return /^DRIVERS\.+: (.+)$/m.exec(told)?.[1] ?? '/etc/odbcinst.ini'
}

/** The folder of the `odbc` package, which is compiled here once: its registry has no binary for this place. */
async function odbcFolder(): Promise<string> {
  const folder = await cached('odbc', ['odbc@2.6.0'])
  const home = join(folder, 'node_modules/odbc')
  // npm 12 runs no install script by itself.
  if (!isBuilt(home))
    await succeed('npm rebuild odbc', npm(['rebuild', 'odbc', '--foreground-scripts'], { cwd: folder }))
  if (!isBuilt(home))
    throw new Error(`the odbc package could not be compiled: run "npm rebuild odbc" in ${folder}`)
  return folder
}

function isBuilt(home: string): boolean {
  const bindings = join(home, 'lib/bindings')
  return (
    existsSync(bindings) && readdirSync(bindings).some((one) => existsSync(join(bindings, one, 'odbc.node')))
  )
}

export async function loadOdbc(): Promise<OdbcModule<OdbcConnection>> {
  return createRequire(join(await odbcFolder(), 'package.json'))('odbc')
}
