import type { Value } from '../tsql/value.ts'
import type { ByteReader } from './bytes.ts'
import { readType } from './types.ts'
import { readValue } from './values.ts'

export interface Parameter extends Value {
  readonly name: string
  readonly isOutput: boolean
}

export interface Call {
  /** In lower case, without its schema. */
  readonly procedure: string
  readonly parameters: readonly Parameter[]
}

/** The procedures that have a number. */
const NUMBERED: Readonly<Record<number, string>> = {
  10: 'sp_executesql',
  11: 'sp_prepare',
  12: 'sp_execute',
  13: 'sp_prepexec',
  15: 'sp_unprepare',
}
const BY_REFERENCE = 0x01

/** What stands before the request itself: only the transaction's descriptor is of interest. */
export function takeHeaders(bytes: ByteReader): Buffer | undefined {
  let left = bytes.u32() - 4
  let descriptor: Buffer | undefined
  while (left > 0) {
    const length = bytes.u32()
    const kind = bytes.u16()
    const data = bytes.bytes(length - 6)
    if (kind === 2) descriptor = data.subarray(0, 8)
    left -= length
  }
  return descriptor
}

/** Several calls may come in one message. */
export function readCalls(bytes: ByteReader): Call[] {
  const calls: Call[] = []
  while (bytes.left > 0) {
    const length = bytes.u16()
    const procedure =
      length === 0xffff ? (NUMBERED[bytes.u16()] ?? 'an unknown procedure') : bytes.text(length)
    bytes.u16()
    const parameters: Parameter[] = []
    while (bytes.left > 0) {
      const first = bytes.u8()
      if (first === 0x80 || first === 0xff) break
      parameters.push(readParameter(bytes, first))
    }
    calls.push({ procedure: procedure.toLowerCase().replace(/^.*\./, ''), parameters })
  }
  return calls
}

function readParameter(bytes: ByteReader, nameLength: number): Parameter {
  const name = bytes.text(nameLength).replace(/^@/, '')
  const isOutput = (bytes.u8() & BY_REFERENCE) !== 0
  const { type, isBare } = readType(bytes)
  return { name, isOutput, type, plain: readValue(bytes, type, isBare) }
}
