type Settle = (error?: Error, value?: unknown) => void

/** A promise whose error shows where the program asked, and not the socket where the answer came in. */
export function promised<T>(
  PromiseClass: PromiseConstructorLike,
  start: (settle: Settle) => void,
): Promise<T> {
  const promise = new PromiseClass<T>((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)))
  })
  return promise.then(undefined, (error) => {
    // Called from here, it follows the `await`s of those who wait.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }) as Promise<T>
}
