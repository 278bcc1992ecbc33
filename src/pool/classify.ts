import type { Driver, ErrorClass } from '../contract/driver.ts'

/** What an error means. A driver that fails over the question leaves the error as it is, and harms nobody. */
export function classify<R>(
  driver: Driver<R>,
  error: unknown,
  during: 'connect' | 'statement',
): ErrorClass | undefined {
  try {
    return driver.classify?.(error, during)
  } catch {
    return undefined
  }
}
