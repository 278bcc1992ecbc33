/**
 * The class as if it extended one that is known only when the user's package is loaded: what it has not itself is found along
 * `parent`, and `instanceof` holds for the package's classes.
 */
export function graft<A extends unknown[], T extends object>(
  Own: new (...args: A) => T,
  parent: object,
): new (
  ...args: A
) => T {
  const Grafted = class extends (Own as unknown as new (...args: unknown[]) => object) {}
  const { constructor: _, ...own } = Object.getOwnPropertyDescriptors(Own.prototype)
  Object.defineProperties(Grafted.prototype, own)
  Object.setPrototypeOf(Grafted.prototype, parent)
  return Grafted as unknown as new (
    ...args: A
  ) => T
}
