import type { Lease } from '../contract/lease.ts'

interface Loan<R> {
  readonly resource: R
  readonly lease: Lease<R>
}

/** Leases by what they lend: these shapes hand out the resource itself, and are given back no more than that. */
export class Loans<R> {
  readonly #leases = new Map<R, Lease<R>>()
  /** Resources need not differ, say where they are mere tokens: further leases on one that is out already. */
  readonly #twins: Loan<R>[] = []

  get size(): number {
    return this.#leases.size + this.#twins.length
  }

  has(resource: R): boolean {
    return this.#leases.has(resource)
  }

  add(resource: R, lease: Lease<R>): void {
    if (this.#leases.has(resource)) this.#twins.push({ resource, lease })
    else this.#leases.set(resource, lease)
  }

  /** The lease on this resource, which from now on is no longer out; undefined for what is not ours. */
  take(resource: R): Lease<R> | undefined {
    const lease = this.#leases.get(resource)
    if (lease === undefined) return undefined
    const at = this.#twins.findIndex((loan) => loan.resource === resource)
    if (at === -1) this.#leases.delete(resource)
    else this.#leases.set(resource, (this.#twins.splice(at, 1)[0] as Loan<R>).lease)
    return lease
  }

  takeAll(): Lease<R>[] {
    const all = [...this.#leases.values(), ...this.#twins.map(({ lease }) => lease)]
    this.#leases.clear()
    this.#twins.length = 0
    return all
  }
}
