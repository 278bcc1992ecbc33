import { assertOption, type Check, show } from '../contract/check.ts'
import { InvalidOptionError } from '../contract/errors.ts'

/** That it is an object, with which a pool can be made that calls the user's `functions`. @throws InvalidOptionError */
export function assertOptionsObject(options: unknown, functions: string): void {
  if (typeof options === 'object' && options !== null) return
  throw new InvalidOptionError(
    'options',
    `new Pool takes an object with ${functions}, min and max, not ${show(options)}`,
  )
}

/** @throws InvalidOptionError */
export function assertFactoryOptions<O extends { min: number; max: number }>(
  options: O,
  checks: { readonly [K in keyof O]?: Check },
): void {
  for (const [name, check] of Object.entries(checks) as [keyof O & string, Check][])
    assertOption(name, options[name], check)
  if (options.min <= options.max) return
  throw new InvalidOptionError(
    'min',
    `option "min" is ${options.min}: it must not be above max (${options.max})`,
  )
}
