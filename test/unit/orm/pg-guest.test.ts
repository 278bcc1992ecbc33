import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { guestOf } from '../../../src/orm/pg-guest.ts'

const CLIENTS = {
  'of this program': () =>
    new (class Client {
      answer() {
        return 42
      }
    })(),
  'of another realm, as under Jest': () =>
    runInNewContext('new (class Client { answer() { return 42 } })()') as { answer(): number },
}

test.each(Object.entries(CLIENTS))(
  'a guest of a client %s does what it does, until its release',
  (_, make) => {
    const release = vi.fn()
    const client = make()
    const guest = guestOf(client, release)
    expect(guest.answer()).toBe(42)
    expect(guest).toBeInstanceOf(client.constructor)
    expect(guest.hasOwnProperty).toBe(client.hasOwnProperty)
    guest.release()
    expect(release).toHaveBeenCalledOnce()
    expect(() => guest.answer()).toThrow(expect.objectContaining({ code: 'LEASE_RELEASED' }))
  },
)
