import { cached } from '../../../scripts/cached.mjs'
import { onNewerNode as onNode } from '../../support/newer-node.ts'

const OWN = ['core', 'sql', 'postgresql', 'mariadb', 'sqlite'].map((name) => `@mikro-orm/${name}@7.2.1`)
const packages = { name: 'mikro-orm', versions: [...OWN, 'kysely@0.29.6', 'pg@8.23.1', 'mysql2@3.24.5'] }

/** Where MikroORM is. */
export function homeOfMikroOrm(): Promise<string> {
  return cached(packages.name, packages.versions)
}

/** What a program of this folder prints, line by line, on a Node and beside packages that are fetched once. */
export function onNewerNode<T>(
  program: string,
  env: Record<string, string>,
): Promise<{ code: number; told: T[]; output: string }> {
  return onNode<T>({ file: `test/orm/mikro-orm/${program}.ts`, packages, env })
}
