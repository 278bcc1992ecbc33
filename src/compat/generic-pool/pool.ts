import { InvalidOptionError } from '../../contract/errors.ts'
import { assemble } from './assembly.ts'
import { Deque } from './deque.ts'
import type { Evictor } from './evictor.ts'
import { assertFactory, type Factory, type Options, type Settings, settingsOf } from './options.ts'
import { PriorityQueue } from './priority-queue.ts'
import { GenericPoolShape } from './shape.ts'

type QueueClass = new (...args: never[]) => unknown

/** What its constructor takes, in this order. */
type PoolArguments<T> = [
  EvictorClass: new () => Evictor<T>,
  DequeClass: QueueClass,
  PriorityQueueClass: QueueClass,
  factory: Factory<T>,
  options?: Options,
]

/** A pool of what `factory.create` makes. @throws InvalidOptionError */
export class Pool<T> extends GenericPoolShape<T> {
  readonly #settings: Settings
  readonly #Promise: PromiseConstructor | undefined
  readonly #startEviction: () => void
  #started = false

  constructor(...[EvictorClass, DequeClass, PriorityQueueClass, factory, options = {}]: PoolArguments<T>) {
    assertQueues(DequeClass, PriorityQueueClass)
    const settings = settingsOf(options)
    assertFactory(factory, settings)
    const makeEvictor = () => new EvictorClass()
    const { rockpool } = options
    const parts = assemble<T>({
      factory,
      settings,
      rockpool,
      makeEvictor,
      tell: (event, error) => this.emit(event, error),
    })
    super(parts)
    this.#settings = settings
    this.#Promise = options.Promise as PromiseConstructor | undefined
    this.#startEviction = () => parts.eviction?.start()
    if (settings.autostart) this.start()
  }

  override start(): void {
    if (this.#started || this.draining) return
    this.#started = true
    this.#startEviction()
    if (!this.#settings.autostart) this.pool.resize({ min: this.#settings.min })
  }

  protected override promise<V>(promise: Promise<V>): Promise<V> {
    return this.#Promise === undefined ? promise : this.#Promise.resolve(promise)
  }
}

function assertQueues(DequeClass: QueueClass, PriorityQueueClass: QueueClass): void {
  if (DequeClass === Deque && PriorityQueueClass === PriorityQueue) return
  throw new InvalidOptionError(
    'Deque',
    'new Pool takes Deque and PriorityQueue from here: the order of lending is set by fifo and priorityRange',
  )
}
