import type { Client } from 'pg'
import { expect } from 'vitest'
import { eventually } from './postgres.ts'

/** As an administrator makes a server refuse to write, or take it back: for sessions that are open as well. */
export async function readOnly(admin: Client, state: 'on' | 'off'): Promise<void> {
  await admin.query(`alter system set default_transaction_read_only = ${state}`)
  await admin.query('select pg_reload_conf()')
  // The server tells its sessions in its own time, all of them at once.
  await eventually(async () => {
    const { rows } = await admin.query('show default_transaction_read_only')
    expect(rows).toEqual([{ default_transaction_read_only: state }])
  })
  await admin.query('select pg_sleep(0.2)')
}
