/** What every pool can do, seen alike. */
export interface Lender {
  acquire(): Promise<unknown>
  release(lease: unknown): void
  tryAcquire?(): unknown
  close(): Promise<unknown> | unknown
}

export interface LenderOptions {
  readonly max: number
  /** How long an acquire waits; undefined = as the pool does where nobody says. */
  readonly timeoutMs?: number | undefined
  readonly source: Source
}

/** Something to be pooled: costs nothing but the time that it takes to open. */
export interface Resource {
  readonly id: number
}

/** Opens resources, and counts them. */
export class Source {
  readonly #connectMs: number
  opened = 0

  constructor(connectMs = 0) {
    this.#connectMs = connectMs
  }

  make(): Resource {
    return { id: ++this.opened }
  }

  get connectMs(): number {
    return this.#connectMs
  }

  open(): Promise<Resource> {
    if (this.#connectMs === 0) return Promise.resolve(this.make())
    return new Promise((resolve) => setTimeout(() => resolve(this.make()), this.#connectMs))
  }
}

export type LenderFactory = (options: LenderOptions) => Lender | Promise<Lender>

/** Opens this many resources, and leaves them idle. */
export async function fill(lender: Lender, count: number): Promise<void> {
  const leases = await Promise.all(Array.from({ length: count }, () => lender.acquire()))
  for (const lease of leases) lender.release(lease)
}
