import { EventEmitter } from 'node:events'

/**
 * The events of a connection for one borrower: his listeners hear it while it is his, and leave with him, so that they neither
 * pile up nor hear what happens to others.
 */
export class Relay {
  readonly emitter = new EventEmitter()
  readonly #source: EventEmitter
  readonly #wires = new Map<string | symbol, (...args: unknown[]) => void>()

  constructor(source: EventEmitter) {
    this.#source = source
    this.emitter.on('newListener', (name: string | symbol) => this.#connect(name))
  }

  end(): void {
    for (const [name, wire] of this.#wires) this.#source.off(name, wire)
    this.#wires.clear()
  }

  #connect(name: string | symbol): void {
    if (this.#wires.has(name) || name === 'newListener' || name === 'removeListener') return
    const wire = (...args: unknown[]) => {
      // An error that nobody listens to any more would end the process.
      if (name !== 'error' || this.emitter.listenerCount(name) > 0) this.emitter.emit(name, ...args)
    }
    this.#wires.set(name, wire)
    this.#source.on(name, wire)
  }
}
