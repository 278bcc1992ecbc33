import { DriverMissingError } from '../contract/errors.ts'

/**
 * A package whose types are compared by identity, so that nothing can stand for them: it is loaded with the entry that takes
 * its place. Where it is not installed, whatever is called says so.
 */
export function installed<P extends object>(load: () => P): P {
  try {
    return load()
  } catch (error) {
    if (!(error instanceof DriverMissingError)) throw error
    const missing = () => {
      throw error
    }
    return new Proxy({}, { get: (_, name) => (typeof name === 'symbol' ? undefined : missing) }) as P
  }
}
