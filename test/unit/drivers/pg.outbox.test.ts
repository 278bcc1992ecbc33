import { expect, test } from 'vitest'
import { inFlight, type PgClient } from '../../../src/drivers/pg/client.ts'
import { Outbox } from '../../../src/drivers/pg/outbox.ts'

/** A client in pipeline mode, and what has left its socket: in one piece what was written while it was corked. */
class SharedClient {
  readonly pieces: number[] = []
  readyForQuery = true
  readonly _sentQueryQueue: object[] = []
  readonly connection = { stream: { cork: () => this.#cork(), uncork: () => this.#uncork() } }
  readonly outbox = new Outbox(this as unknown as PgClient)
  #isCorked = false
  #written = 0

  send(statements: number): void {
    for (let i = 0; i < statements; i++) {
      this.outbox.gather()
      if (this.readyForQuery) this.readyForQuery = false
      else this._sentQueryQueue.push({})
      this.#written++
      if (!this.#isCorked) this.#uncork()
    }
  }

  /** In the order in which pg does it. */
  answer(statements: number): void {
    for (let i = 0; i < statements; i++) {
      this.outbox.answered()
      this.readyForQuery = this._sentQueryQueue.shift() === undefined
    }
  }

  #cork(): void {
    this.#isCorked = true
  }

  #uncork(): void {
    this.#isCorked = false
    this.pieces.push(this.#written)
    this.#written = 0
  }
}

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve))

test('statements of one turn go out in one piece', async () => {
  const client = new SharedClient()
  client.send(3)
  await Promise.resolve().then(() => client.send(2))
  expect(client.pieces).toEqual([])
  await endOfTurn()
  expect(client.pieces).toEqual([5])
})

test('what the server is far from coming to is held back until it has answered some', async () => {
  const client = new SharedClient()
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
  const client = new SharedClient()
  client.send(15)
  await endOfTurn()
  client.send(1)
  await endOfTurn()
  expect(client.pieces).toEqual([15, 1])
})

test('a statement that was announced and never written holds nothing back', async () => {
  const client = new SharedClient()
  client.outbox.gather()
  await endOfTurn()
  client.send(20)
  client.outbox.gather()
  await endOfTurn()
  client.send(3)
  client.answer(20)
  await endOfTurn()
  client.answer(3)
  client.send(1)
  await endOfTurn()
  expect(inFlight(client as unknown as PgClient)).toBe(1)
  expect(client.pieces.reduce((sum, piece) => sum + piece)).toBe(24)
})
