import type { Driver } from '../contract/driver.ts'

/** The connection keeps the process alive. One that is gone already cannot, and its driver may say so. */
export function holdProcess<C>(driver: Driver<C>, connection: C): void {
  try {
    driver.ref?.(connection)
  } catch {
    // What became of the connection is found out by other means.
  }
}

/** The connection keeps it alive no longer. */
export function letProcessGo<C>(driver: Driver<C>, connection: C): void {
  try {
    driver.unref?.(connection)
  } catch {
    // The same.
  }
}
