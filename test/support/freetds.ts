import { spawnSync } from 'node:child_process'

/** `tsql` is a client of SQL Server that shares no code with tedious. */
export const hasFreetds = spawnSync('tsql', ['-C']).status === 0

export const NO_FREETDS = 'FreeTDS is not installed: apt-get install freetds-bin'
