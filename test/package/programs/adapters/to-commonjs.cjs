// What Jest needs for packages that are ESM alone, such as Kysely; most have Babel or ts-jest do it.
const { transformSync } = require('esbuild')

module.exports = { process: (text) => transformSync(text, { format: 'cjs', target: 'node20' }) }
