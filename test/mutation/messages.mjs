/** The name under which Stryker's instrumented code finds which mutant is on. */
export const NAMESPACE = '__stryker__'

export const CHANNEL = 'rockpool-mutation'

/**
 * @typedef {object} TestOutcome
 * @property {string} id
 * @property {string | undefined} failure
 * @property {number} ms
 */

/**
 * What the resident worker is asked: to run these tests, or all, with this mutant on, or none.
 * @typedef {object} Order
 * @property {'order'} kind
 * @property {string | undefined} mutant
 * @property {'static' | 'runtime'} activation
 * @property {readonly string[] | undefined} tests
 * @property {number | undefined} hitLimit
 */

/**
 * @typedef {object} Answer
 * @property {'answer'} kind
 * @property {TestOutcome[]} outcomes
 * @property {number} hits
 * @property {{ static: object, perTest: Record<string, object> }} coverage which mutants the tests touch
 */
