import { compare } from '../../comparison/comparison.ts'
import { checkouts } from './checkouts.ts'
import { endings } from './endings.ts'
import { extensions } from './extensions.ts'
import { failures } from './failures.ts'
import { statements } from './statements.ts'
import { sides } from './subject.ts'

compare('docs/compat/pg-pool.md', sides, [
  ...statements,
  ...checkouts,
  ...extensions,
  ...failures,
  ...endings,
])
