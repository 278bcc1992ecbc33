/** How much the demo does. */
export interface Size {
  /** Queries of each comparison. */
  readonly queries: number
  /** Tasks that run at the same time in comparisons. */
  readonly tasks: number
  readonly connections: number
  /** Tasks of the crowd, and how long each of them keeps a connection on average. */
  readonly crowd: number
  readonly taskMs: number
  readonly outageMs: number
}

export const FULL: Size = {
  queries: 1000,
  tasks: 20,
  connections: 10,
  crowd: 200,
  taskMs: 120,
  outageMs: 3000,
}

export const QUICK: Size = {
  queries: 200,
  tasks: 20,
  connections: 10,
  crowd: 60,
  taskMs: 40,
  outageMs: 1000,
}

/** Connections that we want to find free: for the demo to mean something, and to leave some to others. */
const LEAST = 5
const TO_SPARE = 3

/**
 * The same with no more connections than a server has room for: other people may be working there.
 * @throws Error where that is too little to show anything
 */
export function adapt(size: Size, room: number): Size {
  const most = room - TO_SPARE
  if (most < LEAST) {
    throw new Error(
      `the server has room for ${Math.max(0, room)} more connections; the demo wants ${LEAST + TO_SPARE}`,
    )
  }
  return { ...size, tasks: Math.min(size.tasks, most), connections: Math.min(size.connections, most) }
}
