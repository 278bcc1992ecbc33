import app from './app.mjs'
import { checkAll } from './checks.cjs'

await checkAll({ ...app, injected: true })
if (process.env.ROCKPOOL_ALL_PASSED !== 'yes') await checkAll({ ...app, injected: false })
