import { EventEmitter } from 'node:events'
import type { Pool, PoolCluster, PoolClusterOptions } from 'mysql2'
import { dispose } from '../../contract/dispose.ts'
import { oncePer } from '../once-per.ts'
import { type Node, Nodes, selectorOf } from './cluster-nodes.ts'
import { makePool } from './create-pool.ts'
import type { LendCallback } from './execute.ts'
import { graft } from './graft.ts'
import { type Mysql2Package, packageOf } from './package.ts'
import { type NodeLender, PoolNamespace } from './pool-namespace.ts'

type Done = (error?: Error | null) => unknown

export const clusterOf = oncePer((mysql2: Mysql2Package) => {
  const Class = graft(Cluster, mysql2.PoolCluster.prototype)
  Object.defineProperty(Class, 'name', { value: 'PoolCluster' })
  return Class as unknown as new (
    mysql2: Mysql2Package,
    config?: PoolClusterOptions,
  ) => PoolCluster
})

export function makeCluster(config?: PoolClusterOptions, mysql2: Mysql2Package = packageOf()): PoolCluster {
  return new (clusterOf(mysql2))(mysql2, config)
}

/** mysql2's cluster over pools of ours: names, patterns, and servers that are left out for a while when they fail. */
class Cluster extends EventEmitter implements NodeLender {
  readonly mysql2: Mysql2Package
  readonly nodes = new Nodes()
  readonly config: PoolClusterOptions
  _closed = false
  readonly #namespaces = new Map<string, PoolNamespace>()

  constructor(mysql2: Mysql2Package, config: PoolClusterOptions = {}) {
    super()
    this.mysql2 = mysql2
    this.config = config
  }

  add(id: unknown, config?: unknown): void {
    const name = typeof id === 'object' ? this.nodes.nextName() : String(id)
    if (!this.nodes.has(name))
      this.nodes.add(name, makePool(typeof id === 'object' ? id : config, this.mysql2))
  }

  remove(pattern: string): void {
    for (const node of this.nodes.matching(pattern)) this.#remove(node)
  }

  of(pattern: string | RegExp = '*', selector?: string): PoolNamespace {
    const name = selector ?? this.config.defaultSelector ?? 'RR'
    const key = `${String(pattern)} ${name.toUpperCase()}`
    let found = this.#namespaces.get(key)
    if (found === undefined) {
      found = new PoolNamespace(this, pattern || '*', selectorOf(name))
      this.#namespaces.set(key, found)
    }
    return found
  }

  getConnection(...args: (string | RegExp | LendCallback | undefined)[]): void {
    const callback = args.find((one) => typeof one === 'function') as LendCallback
    const [pattern, selector] = args.filter((one) => typeof one !== 'function')
    this.of(pattern as string | undefined, selector as string | undefined).getConnection(callback)
  }

  end(callback: Done = () => undefined): void {
    this._closed = true
    const pools = this.nodes.matching('*').map(({ pool }) => pool)
    void Promise.all(pools.map(ended)).then(() => process.nextTick(callback))
  }

  [dispose](): void {
    if (!this._closed) this.end()
  }

  mayRetry(error: Error): boolean {
    if (this._closed || this.config.canRetry === false) return false
    this.emit('warn', error)
    return true
  }

  lend(node: Node, callback: LendCallback): void {
    node.pool.getConnection((error, connection) => {
      if (error) {
        this.#failed(node)
        return callback(error)
      }
      this.#succeeded(node)
      return callback(null, Object.assign(connection, { _clusterId: node.id }))
    })
  }

  #failed(node: Node): void {
    const { removeNodeErrorCount = 5, restoreNodeTimeout = 0 } = this.config
    if (++node.errorCount < removeNodeErrorCount) return
    if (restoreNodeTimeout > 0) {
      node.offlineUntil = performance.now() + restoreNodeTimeout
      this.emit('offline', node.id)
    } else if (this.#remove(node)) this.emit('remove', node.id)
  }

  #succeeded(node: Node): void {
    const { removeNodeErrorCount = 5 } = this.config
    node.errorCount = Math.max(Math.min(node.errorCount, removeNodeErrorCount) - 1, 0)
    if (node.offlineUntil === 0) return
    node.offlineUntil = 0
    this.emit('online', node.id)
  }

  #remove(node: Node): boolean {
    const isOurs = this.nodes.delete(node)
    if (isOurs) node.pool.end()
    return isOurs
  }
}

function ended(pool: Pool): Promise<void> {
  return new Promise((resolve) => pool.end(() => resolve()))
}
