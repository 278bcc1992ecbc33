import nodeModule from 'node:module'
import { join } from 'node:path'
import { DriverMissingError } from '../contract/errors.ts'

/**
 * Loads an optional package when it is first needed, from where rockpool is installed and then from where the program
 * runs. `createRequire` is called late and through the default import: a bundler that saw an `import('pg')` would
 * insist on every driver, and Jest refuses `import()` altogether.
 */
export function loadPackage(name: string): unknown {
  return fromSomewhere(name, (require) => require(name))
}

/** The path of the file that `loadPackage` would load; `parent` is the package that brings it along. */
export function resolvePackage(name: string, parent?: string): string {
  if (parent === undefined) return fromSomewhere(name, (require) => require.resolve(name))
  return nodeModule.createRequire(resolvePackage(parent)).resolve(name)
}

function fromSomewhere<T>(name: string, load: (require: NodeJS.Require) => T): T {
  let missing: unknown
  for (const place of places()) {
    try {
      return load(nodeModule.createRequire(place))
    } catch (error) {
      // A package that is there but breaks while it loads must not be reported as missing.
      if (!isMissing(error, name)) throw error
      missing = error
    }
  }
  throw new DriverMissingError(name, { cause: missing })
}

/** What a bundler made of `import.meta.url` may be no place at all. */
function places(): string[] {
  const program = join(process.cwd(), 'package.json')
  const here: unknown = import.meta.url
  return typeof here === 'string' && here !== '' ? [here, program] : [program]
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return (
    /(^|_)MODULE_NOT_FOUND$/.test(String(code)) && new RegExp(`['"\`]${name}['"\`]`).test(String(message))
  )
}
