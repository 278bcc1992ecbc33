import { spawnSync } from 'node:child_process'
import { appendFileSync, chownSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pgModule from 'pg'
import { afterAll } from 'vitest'
import { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { createCluster } from '../../src/testing/postgres-cluster.ts'

/**
 * A replica of a running server: its files are copied while it is in backup mode, as the npm package has no
 * pg_basebackup, and it streams what comes later.
 */
export async function startStandby(primary: EmbeddedPostgres): Promise<EmbeddedPostgres> {
  const cluster = await createCluster({})
  const standby = new EmbeddedPostgres(cluster, await freePort())
  afterAll(() => standby.close())
  const data = join(standby.folder, 'data')
  rmSync(data, { recursive: true })
  const client = new pgModule.Client({ connectionString: primary.url(), application_name: 'admin' })
  await client.connect()
  await client.query(`select pg_backup_start('standby', true)`)
  copy(join(primary.folder, 'data'), data)
  const { rows } = await client.query('select labelfile from pg_backup_stop(false)')
  await client.end()
  rmSync(join(data, 'postmaster.pid'), { force: true })
  const put = (name: string, text: string) => {
    const file = join(data, name)
    writeFileSync(file, text)
    const { uid, gid } = cluster.processUser
    if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid)
  }
  put('backup_label', rows[0].labelfile)
  put('standby.signal', '')
  appendFileSync(
    join(data, 'postgresql.auto.conf'),
    `\nprimary_conninfo = 'host=${primary.host} port=${primary.port} user=${primary.user}'\n`,
  )
  await standby.start()
  return standby
}

/** `cp` keeps the owner, who must be the server's user; where there is none, the files are ours anyway. */
function copy(from: string, to: string): void {
  const { status } = spawnSync('cp', ['-a', from, to])
  if (status !== 0) cpSync(from, to, { recursive: true })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
