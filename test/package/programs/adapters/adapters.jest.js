const app = require('./app.cjs')
const { checks } = require('./checks.cjs')

describe.each([
  ['passed', true],
  ['found', false],
])('packages that are %s', (_, injected) => {
  test.each(Object.keys(checks))('%s', (name) => checks[name]({ ...app, injected }), 30_000)
})
