export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** What became of a promise within a generous time, in a few words. */
export async function fateOf(promise: Promise<unknown>, withinMs = 1_500): Promise<string> {
  const late = pause(withinMs).then(() => 'still waits')
  return Promise.race([promise.then(shown, told), late])
}

function shown(value: unknown): string {
  return value === undefined ? 'ends' : JSON.stringify(value)
}

export function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Makes and destroys numbered things, and knows how many there are at a time. */
export class Things {
  made = 0
  existing = 0
  most = 0
  readonly destroyed: number[] = []

  readonly create = async (): Promise<{ id: number }> => {
    this.existing++
    this.most = Math.max(this.most, this.existing)
    return { id: ++this.made }
  }

  readonly destroy = async (thing: { id: number }): Promise<void> => {
    this.destroyed.push(thing.id)
    this.existing--
  }

  readonly slowDestroy = async (thing: { id: number }): Promise<void> => {
    this.destroyed.push(thing.id)
    await pause(60)
    this.existing--
  }
}
