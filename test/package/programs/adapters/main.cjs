const app = require('./app.cjs')
const { checkAll } = require('./checks.cjs')

// What is found needs no passing; what is in a bundle does.
async function main() {
  await checkAll({ ...app, injected: true })
  if (process.env.ROCKPOOL_ALL_PASSED !== 'yes') await checkAll({ ...app, injected: false })
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
