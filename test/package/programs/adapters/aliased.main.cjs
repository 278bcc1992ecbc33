require('./aliased.cjs')
  .aliased()
  .catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
