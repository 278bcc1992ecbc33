/** Milliseconds since some moment, as a function. */
export function stopwatch(): () => number {
  const since = performance.now()
  return () => performance.now() - since
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** CPU time of this process in milliseconds, the server's own not included. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Bytes on the heap once the garbage is gone. */
export async function heapBytes(): Promise<number> {
  const gc = (globalThis as { gc?: () => void }).gc
  for (let n = 0; n < 3; n++) {
    gc?.()
    await turnOfTheLoop()
  }
  return process.memoryUsage().heapUsed
}

export function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
}

/** Watches for the longest time in which nothing else could run. */
export function watchBlocks(): () => number {
  const EVERY_MS = 1
  let last = performance.now()
  let longest = 0
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last - EVERY_MS)
    last = now
  }
  const timer = setInterval(look, EVERY_MS)
  return () => {
    clearInterval(timer)
    look()
    return longest
  }
}
