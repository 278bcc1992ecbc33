import type { AddressInfo, Server as NetServer } from 'node:net'
import { peer } from '../harness/packages.ts'
import type { Lender, LenderOptions, Source } from './lender.ts'

interface Mysql2 {
  createServer(): MysqlServer
  createPool(options: object): { promise(): PromisePool }
}

interface PromisePool {
  getConnection(): Promise<{ release(): void }>
}

/** mysql2 brings a server along. */
interface MysqlServer {
  listen(port: number): void
  close(): void
  on(event: 'connection', listener: (connection: MysqlSession) => void): void
  readonly _server: NetServer
}

interface MysqlSession {
  readonly stream: { destroy(): void }
  serverHandshake(facts: object): void
  on(event: string, listener: () => void): void
}

/** mysql2's pool takes nothing but its own connections: they lead to a server in this process that only shakes hands. */
export async function mysql2Lender({ max, source }: LenderOptions): Promise<Lender> {
  const mysql = peer<Mysql2>('mysql2')
  const server = mysql.createServer()
  const sessions: MysqlSession[] = []
  server.on('connection', (session) => {
    sessions.push(session)
    void greet(session, source)
  })
  server.listen(0)
  await new Promise<void>((resolve) => server._server.once('listening', () => resolve()))
  const { port } = server._server.address() as AddressInfo
  const pool = mysql.createPool({ host: '127.0.0.1', port, user: 'bench', connectionLimit: max }).promise()
  return {
    acquire: () => pool.getConnection(),
    release: (connection) => (connection as { release(): void }).release(),
    close: () => {
      // A goodbye would be answered by a complaint about the order of packets.
      for (const session of sessions) session.stream.destroy()
      server.close()
    },
  }
}

async function greet(session: MysqlSession, source: Source): Promise<void> {
  session.on('error', () => {})
  const { id } = await source.open()
  session.serverHandshake({
    protocolVersion: 10,
    serverVersion: '8.0.0',
    connectionId: id,
    statusFlags: 2,
    characterSet: 8,
    capabilityFlags: 0xffffff,
  })
}
