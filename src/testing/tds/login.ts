import { ByteReader } from './bytes.ts'

/** Options of a PRELOGIN message. */
const OPTION = { version: 0, encryption: 1, instance: 2, thread: 3, mars: 4, end: 0xff }
const NO_ENCRYPTION = 2

/** What a client says of itself in LOGIN7. */
export interface Login {
  readonly tdsVersion: number
  readonly packetSize: number
  readonly hostName: string
  readonly user: string
  readonly password: string
  readonly application: string
  readonly database: string
  /** `ApplicationIntent=ReadOnly`. */
  readonly isReadOnly: boolean
}

/** The server's side of PRELOGIN: SQL Server 2022, without TLS and MARS. */
export function preloginAnswer(): Buffer {
  const options: [number, Buffer][] = [
    [OPTION.version, Buffer.from([16, 0, 0x03, 0xe8, 0, 0])],
    [OPTION.encryption, Buffer.from([NO_ENCRYPTION])],
    [OPTION.instance, Buffer.from([0])],
    [OPTION.thread, Buffer.alloc(0)],
    [OPTION.mars, Buffer.from([0])],
  ]
  let offset = options.length * 5 + 1
  const heads = options.map(([token, data]) => {
    const head = Buffer.alloc(5)
    head.writeUInt8(token, 0)
    head.writeUInt16BE(offset, 1)
    head.writeUInt16BE(data.length, 3)
    offset += data.length
    return head
  })
  return Buffer.concat([...heads, Buffer.from([OPTION.end]), ...options.map(([, data]) => data)])
}

/** Where the offset and the length of a text stand in LOGIN7. */
const FIELD = { hostName: 36, user: 40, password: 44, application: 48, database: 68 }
const READ_ONLY_INTENT = 0x20

export function readLogin(body: Buffer): Login {
  const head = new ByteReader(body)
  head.u32()
  const raw = (at: number) => {
    const start = body.readUInt16LE(at)
    return body.subarray(start, start + body.readUInt16LE(at + 2) * 2)
  }
  const text = (at: number) => raw(at).toString('utf16le')
  return {
    tdsVersion: head.u32(),
    packetSize: head.u32(),
    hostName: text(FIELD.hostName),
    user: text(FIELD.user),
    password: unscrambled(raw(FIELD.password)),
    application: text(FIELD.application),
    database: text(FIELD.database),
    isReadOnly: (body.readUInt8(26) & READ_ONLY_INTENT) !== 0,
  }
}

/** A password travels with each byte's halves swapped, after an XOR. */
function unscrambled(bytes: Buffer): string {
  return Buffer.from(bytes.map((byte) => swap(byte ^ 0xa5))).toString('utf16le')
}

function swap(byte: number): number {
  return ((byte << 4) | (byte >> 4)) & 0xff
}
