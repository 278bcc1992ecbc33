import type * as callbacks from 'mysql2'
import type * as promises from 'mysql2/promise'
import * as ours from '../../../src/compat/mysql2/index.ts'
import * as oursPromised from '../../../src/compat/mysql2/promise.ts'

/** The package as `import *` and `require` give it, but for what only its types claim. */
type Package<P, Claimed extends keyof P> = Omit<P, 'default' | Claimed>

// That these compile is a test as well: the drop-in has all names of the package, with types that fit.
const mysqlShape: Package<typeof callbacks, 'PrepareStatementInfo'> = ours
const promiseShape: Package<typeof promises, 'PrepareStatementInfo' | 'createServer' | 'authPlugins'> =
  oursPromised
export const mysql = mysqlShape as typeof callbacks
export const promise = promiseShape as typeof promises
