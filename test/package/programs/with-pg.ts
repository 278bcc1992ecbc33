// The user's own pg gives the connection its type.
import pgModule, { type Client } from 'pg'
import { createPool, type SqlPool } from 'rockpool'
import { pg } from 'rockpool/drivers/pg'

const inferred = createPool(pg({ connectionString: 'postgres://localhost/db' }, { module: pgModule }))
const named = createPool<Client>('postgres://localhost/db')

export async function notified(): Promise<void> {
  await inferred.use(async (lease) => {
    const client: Client = lease.connection
    client.on('notification', (message) => message.channel.length)
  })
  const pool: SqlPool<Client> = named
  await pool.use((lease) => lease.connection.query('select 1'))
}
