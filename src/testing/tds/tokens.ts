import type { SqlError } from '../tsql/error.ts'
import type { Column } from '../tsql/value.ts'
import { ByteWriter } from './bytes.ts'
import { COLLATION, writeType } from './types.ts'

export const TOKEN = {
  returnStatus: 0x79,
  columns: 0x81,
  order: 0xa9,
  error: 0xaa,
  info: 0xab,
  returnValue: 0xac,
  loginAck: 0xad,
  row: 0xd1,
  envChange: 0xe3,
  done: 0xfd,
  doneProc: 0xfe,
  doneInProc: 0xff,
}

/** Bits of a DONE token. */
export const DONE = { more: 0x01, error: 0x02, inTransaction: 0x04, count: 0x10, attention: 0x20 }

/** Kinds of ENVCHANGE. */
export const CHANGE = {
  database: 1,
  language: 2,
  packetSize: 4,
  collation: 7,
  begin: 8,
  commit: 9,
  rollback: 10,
  reset: 18,
}

const TDS_7_4 = Buffer.from([0x74, 0, 0, 4])
const SERVER_NAME = 'rockpool'

export function writeDone(
  out: ByteWriter,
  token: number,
  { status, count }: { status: number; count?: number },
): void {
  out
    .u8(token)
    .u16(status)
    .u16(0)
    .u64(BigInt(count ?? 0))
}

export function writeMessage(out: ByteWriter, { number, state, severity, message, line }: SqlError): void {
  const body = new ByteWriter()
  body.u32(number).u8(state).u8(severity).longText(message).shortText(SERVER_NAME).shortText('').u32(line)
  out
    .u8(severity > 10 ? TOKEN.error : TOKEN.info)
    .u16(body.length)
    .bytes(body.take(body.length))
}

export function writeLoginAck(out: ByteWriter): void {
  const body = new ByteWriter()
  body
    .u8(1)
    .bytes(TDS_7_4)
    .shortText('Microsoft SQL Server')
    .bytes(Buffer.from([16, 0, 0x03, 0xe8]))
  out.u8(TOKEN.loginAck).u16(body.length).bytes(body.take(body.length))
}

/** A change that is told as texts: database, language, packet size. */
export function writeTextChange(
  out: ByteWriter,
  kind: number,
  [now, before]: readonly [string, string],
): void {
  const body = new ByteWriter()
  body.u8(kind).shortText(now).shortText(before)
  out.u8(TOKEN.envChange).u16(body.length).bytes(body.take(body.length))
}

/** A change that is told as bytes: collation, transactions, the reset of a connection. */
export function writeByteChange(
  out: ByteWriter,
  kind: number,
  [now, before]: readonly [Buffer, Buffer],
): void {
  out.u8(TOKEN.envChange).u16(3 + now.length + before.length)
  out.u8(kind).u8(now.length).bytes(now).u8(before.length).bytes(before)
}

export function writeCollation(out: ByteWriter): void {
  writeByteChange(out, CHANGE.collation, [COLLATION, Buffer.alloc(0)])
}

const NULLABLE = 0x01
const IDENTITY = 0x10

export function writeColumns(out: ByteWriter, columns: readonly Column[]): void {
  out.u8(TOKEN.columns).u16(columns.length)
  for (const { name, type, isIdentity } of columns) {
    out.u32(0).u16(NULLABLE | (isIdentity ? IDENTITY : 0))
    writeType(out, type)
    out.shortText(name)
  }
}

/** The eight bytes by which a client names its transaction. */
export function descriptorOf(id: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(id))
  return bytes
}
