const { createPool, createResourcePool } = require('rockpool')
const { pg } = require('rockpool/drivers/pg')

test('a pool works under Jest', async () => {
  const pool = createResourcePool({ name: 'thing', connect: async () => ({ id: 1 }), close() {} })
  await expect(pool.use((lease) => lease.connection.id)).resolves.toBe(1)
  await expect(pool.close()).resolves.toMatchObject({ closed: 1 })
})

test('a driver found by its URL is loaded under Jest', async () => {
  const pool = createPool('postgres://user@127.0.0.1:1/db', { acquireTimeoutMs: 200 })
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
  await pool.close()
})

test('the module that the user passes is taken under Jest', async () => {
  const pool = createPool(pg('postgres://user@127.0.0.1:1/db', { module: require('pg') }), {
    acquireTimeoutMs: 200,
  })
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
  await pool.close()
})
