import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** An authority, or a server that it vouches for, as PEM texts. */
export interface Certificate {
  readonly name: string
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
}

/** An authority that nobody trusts by itself. */
export function createAuthority(name: string): Certificate {
  return certificate({ name, extensions: [CA] })
}

/** A server's certificate for these names and addresses. */
export function createCertificate(authority: Certificate, hosts: readonly string[]): Certificate {
  return certificate({ name: hosts[0] ?? 'server', authority, extensions: [alternativeNames(hosts)] })
}

// X.509 by hand: a sequence of (tag, length, content) in DER.
const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OID = 0x06
const UTF8 = 0x0c
const UTC_TIME = 0x17
const BOOLEAN = 0x01

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const oid = (...bytes: number[]) => der(OID, Buffer.from(bytes))
const ECDSA_SHA256 = der(SEQUENCE, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const CA = der(
  SEQUENCE,
  oid(0x55, 0x1d, 0x13),
  der(BOOLEAN, Buffer.from([0xff])),
  der(OCTET_STRING, der(SEQUENCE, der(BOOLEAN, Buffer.from([0xff])))),
)

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  )
  return der(SEQUENCE, oid(0x55, 0x1d, 0x11), der(OCTET_STRING, der(SEQUENCE, ...names)))
}

const commonName = (name: string) =>
  der(SEQUENCE, der(SET, der(SEQUENCE, oid(0x55, 0x04, 0x03), der(UTF8, Buffer.from(name)))))

function time(offsetDays: number): Buffer {
  const iso = new Date(Date.now() + offsetDays * 86_400_000).toISOString()
  return der(UTC_TIME, Buffer.from(`${iso.slice(2, 19).replace(/[-T:]/g, '')}Z`))
}

function certificate(wanted: {
  name: string
  authority?: Certificate
  extensions: readonly Buffer[]
}): Certificate {
  const { name, authority, extensions } = wanted
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    commonName(authority?.name ?? name),
    der(SEQUENCE, time(-1), time(2)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  )
  const signature = sign('sha256', body, authority?.privateKey ?? privateKey)
  const whole = der(SEQUENCE, body, ECDSA_SHA256, der(BIT_STRING, Buffer.from([0]), signature))
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { name, cert: pem(whole), key, privateKey }
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
