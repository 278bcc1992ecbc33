import type { SqlType } from '../tsql/value.ts'
import type { ByteWriter } from './bytes.ts'

const DAY_MS = 86_400_000
/** From the first day of year 1 to 1970. */
const EPOCH = 719_162

/** The day since year 1, and the milliseconds since its midnight, in UTC. */
export function dayOf(date: Date): { day: number; ms: number } {
  const day = Math.floor(date.getTime() / DAY_MS)
  return { day: day + EPOCH, ms: date.getTime() - day * DAY_MS }
}

export function daysOf(day: number, ms: number): Date {
  return new Date((day - EPOCH) * DAY_MS + ms)
}

/** Bytes of a time of day with so many digits behind the second. */
const timeWidth = (scale: number) => (scale <= 2 ? 3 : scale <= 4 ? 4 : 5)

/** A date, a time, or both, behind its length. */
export function writeTime(out: ByteWriter, { name, scale = 7 }: SqlType, date: Date): void {
  const { day, ms } = dayOf(date)
  const width = timeWidth(scale)
  const parts = [
    ...(name === 'date' ? [] : [little(BigInt(Math.round(ms * 10 ** scale)) / 1000n, width)]),
    ...(name === 'time' ? [] : [little(BigInt(day), 3)]),
    ...(name === 'datetimeoffset' ? [Buffer.alloc(2)] : []),
  ]
  const bytes = Buffer.concat(parts)
  out.u8(bytes.length).bytes(bytes)
}

export function readTime(raw: Buffer, { name, scale = 7 }: SqlType): Date {
  const width = name === 'date' ? 0 : timeWidth(scale)
  const ms = width === 0 ? 0 : (raw.readUIntLE(0, width) * 1000) / 10 ** scale
  const day = name === 'time' ? EPOCH : raw.readUIntLE(width, 3)
  return daysOf(day, Math.round(ms))
}

function little(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes.subarray(0, width)
}
