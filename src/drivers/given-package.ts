import { show } from '../contract/check.ts'
import { InvalidOptionError } from '../contract/errors.ts'

/**
 * The package that the user has passed as `module`: he may have it by `import x from 'x'` or by `import * as x from 'x'`.
 * It is known by its functions.
 * @throws InvalidOptionError
 */
export function givenPackage<P extends object>(
  given: unknown,
  { called, functions }: { called: string; functions: readonly (keyof P)[] },
): P {
  for (const candidate of [given, (given as { default?: unknown } | null | undefined)?.default]) {
    const found = (candidate ?? {}) as Partial<P>
    if (functions.every((name) => typeof found[name] === 'function')) return found as P
  }
  throw new InvalidOptionError('module', `"module" is ${show(given)}: it must be the ${called}`)
}
