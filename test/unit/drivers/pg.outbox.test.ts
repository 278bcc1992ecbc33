import { expect, test } from 'vitest'
import type { PgClient } from '../../../src/drivers/pg/client.ts'
import { Outbox } from '../../../src/drivers/pg/outbox.ts'

const SYNC_BYTES = 5

/** A client, and how many statements each write to its socket had: all of them are no more than a Sync. */
class FakeClient {
  readonly pieces: number[] = []
  readonly pipeline: boolean
  readyForQuery = true
  readonly _sentQueryQueue: object[] = []
  readonly stream = {
    writable: true,
    write: (bytes: Uint8Array): unknown => this.pieces.push(bytes.length / SYNC_BYTES),
  }
  readonly connection = { stream: this.stream }
  readonly outbox = new Outbox(this as unknown as PgClient)

  constructor({ pipeline = true } = {}) {
    this.pipeline = pipeline
  }

  send(statements: number): void {
    for (let i = 0; i < statements; i++) {
      this.outbox.packet.sync()
      this.outbox.filled()
      if (this.readyForQuery) this.readyForQuery = false
      else this._sentQueryQueue.push({})
    }
  }

  /** In the order in which pg does it. */
  answer(statements: number): void {
    for (let i = 0; i < statements; i++) {
      this.outbox.answered()
      this.readyForQuery = this._sentQueryQueue.shift() === undefined
    }
  }
}

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve))

test('statements of one turn go out in one piece', async () => {
  const client = new FakeClient()
  client.send(3)
  await Promise.resolve().then(() => client.send(2))
  expect(client.pieces).toEqual([])
  await endOfTurn()
  expect(client.pieces).toEqual([5])
})

test('what the server is far from coming to is held back until it has answered some', async () => {
  const client = new FakeClient()
  client.send(20)
  await endOfTurn()
  client.send(4)
  await endOfTurn()
  client.answer(4)
  await endOfTurn()
  expect(client.pieces).toEqual([20])
  client.answer(1)
  await endOfTurn()
  expect(client.pieces).toEqual([20, 4])
})

test('a server that has little to do is not kept waiting', async () => {
  const client = new FakeClient()
  client.send(15)
  await endOfTurn()
  client.send(1)
  await endOfTurn()
  expect(client.pieces).toEqual([15, 1])
})

test('who writes to the socket himself comes after what is held', async () => {
  const client = new FakeClient()
  client.send(2)
  client.stream.write(new Uint8Array(SYNC_BYTES))
  expect(client.pieces).toEqual([2, 1])
  await endOfTurn()
  expect(client.pieces).toEqual([2, 1])
})

test('a connection that is not shared sends each statement at once', () => {
  const client = new FakeClient({ pipeline: false })
  client.send(1)
  client.answer(1)
  client.send(1)
  expect(client.pieces).toEqual([1, 1])
})

test('connections that gather at the same time keep their statements apart', async () => {
  const [one, other] = [new FakeClient(), new FakeClient()]
  one.send(1)
  other.send(2)
  one.send(3)
  await endOfTurn()
  expect([one.pieces, other.pieces]).toEqual([[4], [2]])
})

test('nothing is written to a socket that takes nothing more', async () => {
  const client = new FakeClient()
  client.stream.writable = false
  client.send(1)
  await endOfTurn()
  expect(client.pieces).toEqual([])
})
