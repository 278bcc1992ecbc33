const { aliased } = require('./aliased.cjs')

test('who asks for pg-pool is given rockpool', aliased, 30_000)
