const NUMBER = new Intl.NumberFormat('en')

export function number(count: number): string {
  return NUMBER.format(count)
}

/** `1 connection`, `1,000 connections`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** A duration with three digits: `0.42 ms`, `38 ms`, `4.92 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(2)} ms`
}

export function perSecond(count: number, ms: number): string {
  return `${NUMBER.format(Math.round((count / ms) * 1000))}/s`
}

/** `22.6x` */
export function times(ratio: number): string {
  return `${ratio.toFixed(1)}x`
}
