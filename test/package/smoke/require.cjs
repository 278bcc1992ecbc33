const assert = require('node:assert')

const { exports: entries } = require('rockpool/package.json')
const subpaths = Object.keys(entries).filter((subpath) => subpath !== './package.json')

module.exports = Promise.all(
  subpaths.map(async (subpath) => {
    const required = require(`rockpool${subpath.slice(1)}`)
    const imported = await import(`rockpool${subpath.slice(1)}`)
    // A drop-in is what its original is: a class, or an object that has names when the package behind it is there.
    if (subpath.startsWith('./compat/')) {
      assert(typeof required === 'object' || typeof required === 'function', `${subpath} is nothing`)
      return
    }
    const names = (entry) =>
      Object.keys(entry)
        .filter((name) => name !== 'default' && name !== 'module.exports')
        .sort()
    assert.deepStrictEqual(names(required), names(imported), `${subpath} differs between require and import`)
  }),
)
