/**
 * What comes of `ask`, or the signal's reason, whatever is first. `giveUp` is called when nobody waits for the answer any more.
 * @throws the signal's reason, before anything is asked, if it was aborted already
 */
export async function untilAborted<T>(
  signal: AbortSignal,
  ask: () => Promise<T>,
  giveUp: () => void,
): Promise<T> {
  signal.throwIfAborted()
  let stop: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      giveUp()
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([ask(), aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
