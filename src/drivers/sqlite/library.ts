import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { show } from '../../contract/check.ts'
import { DriverMissingError, InvalidOptionError } from '../../contract/errors.ts'
import { loadPackage, resolvePackage } from '../load-package.ts'
import type { LibraryKind } from './engine.ts'

export interface Library {
  readonly kind: LibraryKind
  readonly module: unknown
  /** Its file, for our threads; undefined for what the runtime brings along, or where no file is known. */
  readonly place: string | undefined
}

const KINDS: readonly LibraryKind[] = ['node:sqlite', 'better-sqlite3', 'libsql']

/** Finds the library: the one that was named or passed, else the first that is there. */
export function findLibrary(given: unknown): Library {
  if (typeof given === 'string') return loadNamed(given)
  if (given !== undefined) return recognise(given)
  const builtIn = loadBuiltIn()
  if (builtIn !== undefined) return builtIn
  for (const name of ['better-sqlite3', 'libsql'] as const) {
    const found = tryLoad(name)
    if (found !== undefined) return found
  }
  throw new DriverMissingError(isOldNode() ? 'libsql' : 'better-sqlite3')
}

function loadNamed(name: string): Library {
  if (!KINDS.includes(name as LibraryKind)) {
    const known = KINDS.map((kind) => `"${kind}"`).join(', ')
    throw new InvalidOptionError('module', `"module" is ${show(name)}: the names known are ${known}`)
  }
  const found = name === 'node:sqlite' ? loadBuiltIn() : load(name as LibraryKind)
  if (found !== undefined) return found
  throw new InvalidOptionError(
    'module',
    'this runtime has no node:sqlite that can be used: Node has it from 22.16 on; or install better-sqlite3 or libsql',
  )
}

/** What the user has imported: `import Database from 'libsql'`, `import * as sqlite from 'node:sqlite'`. */
function recognise(module: unknown): Library {
  const { DatabaseSync, default: inner } = (module ?? {}) as { DatabaseSync?: unknown; default?: unknown }
  if (DatabaseSync !== undefined) return { kind: 'node:sqlite', module, place: undefined }
  const found = inner ?? module
  if (typeof found !== 'function') {
    throw new InvalidOptionError(
      'module',
      `"module" is ${show(module)}: it must be node:sqlite, better-sqlite3 or libsql, or the name of one`,
    )
  }
  // Only libsql comes with rules of authorization.
  const kind = 'Authorization' in found ? 'libsql' : 'better-sqlite3'
  return { kind, module: found, place: placeOf(kind) }
}

/** Undefined where the runtime has none, or one that cannot tell whether a transaction is open. */
function loadBuiltIn(): Library | undefined {
  const module = process.getBuiltinModule?.('node:sqlite') as
    | { DatabaseSync: new (file: string) => { isTransaction?: boolean; close(): void } }
    | undefined
  if (module?.DatabaseSync === undefined) return undefined
  const probe = new module.DatabaseSync(':memory:')
  const isUsable = typeof probe.isTransaction === 'boolean'
  probe.close()
  return isUsable ? { kind: 'node:sqlite', module, place: undefined } : undefined
}

function tryLoad(kind: LibraryKind): Library | undefined {
  try {
    return load(kind)
  } catch (error) {
    if (error instanceof DriverMissingError) return undefined
    throw error
  }
}

function load(kind: LibraryKind): Library | undefined {
  const place = resolvePackage(kind)
  if (kind === 'better-sqlite3' && isOldNode() && majorOf(place) >= 13) {
    throw new DriverMissingError('libsql', {
      cause: new Error(`better-sqlite3 ${majorOf(place)} crashes this Node (${process.version})`),
    })
  }
  return { kind, module: loadPackage(kind), place }
}

function placeOf(kind: LibraryKind): string | undefined {
  try {
    return resolvePackage(kind)
  } catch {
    return undefined
  }
}

function isOldNode(): boolean {
  return Number.parseInt(process.versions.node, 10) < 22
}

/** The version of a package, from the package.json above its file. */
function majorOf(file: string): number {
  for (let folder = dirname(file), up = 0; up < 3; folder = dirname(folder), up++) {
    try {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (typeof version === 'string') return Number.parseInt(version, 10)
    } catch {
      // Not here.
    }
  }
  return 0
}
