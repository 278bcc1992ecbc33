import type { CallbackOrPromise } from './options.ts'

/** Calls a creator that gives a promise, calls back or gives the resource itself. */
export function createWith<T>(create: CallbackOrPromise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const made = create((error, resource) => {
      if (error) reject(error)
      else resolve(resource)
    })
    Promise.resolve(made).then((resource) => {
      // Who takes a callback and gives nothing will call back.
      if (resource || create.length === 0) resolve(resource as T)
    }, reject)
  })
}
