import type { PoolClusterOptions } from 'mysql2'
import type { PoolCluster } from 'mysql2/promise'
import { makeCluster } from './cluster.ts'
import { promisePackage } from './package.ts'

type Wrap = new (cluster: unknown, promise?: unknown) => PoolCluster

/** mysql2's own promises around a cluster of ours; but what it adds is ours as well. */
export function makePromiseCluster(config?: PoolClusterOptions & { Promise?: unknown }): PoolCluster {
  const cluster = makeCluster(config)
  // The package keeps the class to itself, and an empty cluster does nothing.
  const Wrapped = promisePackage().createPoolCluster().constructor as Wrap
  return Object.assign(new Wrapped(cluster, config?.Promise), {
    config: cluster.config,
    add: cluster.add.bind(cluster),
    remove: cluster.remove.bind(cluster),
  })
}
