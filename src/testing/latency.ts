import type { Random } from './random.ts'

/** How long something takes, in milliseconds: always the same, or drawn each time. */
export type Latency = number | ((random: Random) => number)

export function drawLatency(latency: Latency, random: Random): number {
  return typeof latency === 'number' ? latency : latency(random)
}

/** Anything between the two, with equal chance. */
export function uniform(leastMs: number, mostMs: number): Latency {
  return (random) => random.between(leastMs, mostMs)
}

/** Mostly short, now and then much longer: what waiting for independent events looks like. */
export function exponential(meanMs: number): Latency {
  return (random) => -Math.log(1 - random.next()) * meanMs
}

/** `usual`, but `rare` in this share of cases. */
export function longTail(usual: Latency, rare: Latency, share: number): Latency {
  return (random) => drawLatency(random.chance(share) ? rare : usual, random)
}
