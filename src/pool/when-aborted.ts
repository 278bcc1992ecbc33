import { defaultMaxListeners, getMaxListeners, setMaxListeners } from 'node:events'

type Listener = Parameters<AbortSignal['addEventListener']>[1]

const known = new WeakSet<AbortSignal>()

/** Listens, once, to a signal that others may wait by as well: a hundred who do are no leak, as Node would warn. */
export function whenAborted(signal: AbortSignal, listener: Listener): void {
  if (!known.has(signal)) {
    known.add(signal)
    letManyListen(signal)
  }
  signal.addEventListener('abort', listener, { once: true })
}

function letManyListen(signal: AbortSignal): void {
  try {
    if (getMaxListeners(signal) === defaultMaxListeners) setMaxListeners(0, signal)
  } catch {
    // A signal of somebody else's making counts nothing.
  }
}
