import { InvalidOptionError } from '../contract/errors.ts'

/** A password, or a function that is asked anew for every connection: tokens expire. */
export type Password = string | (() => string | Promise<string>)

/** @throws InvalidOptionError, which does not show what was given */
export function checkPassword(password: unknown): void {
  if (password === undefined || typeof password === 'string' || typeof password === 'function') return
  throw new InvalidOptionError(
    'password',
    `"password" is of type ${typeof password}: it must be a text or a function that gives one`,
  )
}

/** @throws InvalidOptionError when the function gives no text */
export async function askPassword(password: Password): Promise<string> {
  if (typeof password !== 'function') return password
  const given: unknown = await password()
  if (typeof given === 'string') return given
  throw new InvalidOptionError(
    'password',
    `the "password" function gave a value of type ${typeof given}, not a text`,
  )
}
