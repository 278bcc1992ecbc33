import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cached, settle } from '../../../scripts/cached.mjs'
import { run } from '../../../scripts/run.mjs'
import type { PrismaAdapterClass, PrismaAdapterFactory } from '../../../src/orm/prisma/index.ts'

// Prisma's client is made of a schema by a program of its own, here once for each schema, beside the packages.

const PACKAGES = ['prisma', '@prisma/client', '@prisma/adapter-pg', '@prisma/adapter-mariadb']

const MODELS = `
model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  name  String?
  posts Post[]
}

model Post {
  id       Int    @id @default(autoincrement())
  title    String
  author   User   @relation(fields: [authorId], references: [id])
  authorId Int
}
`

const OF_POSTGRES = `
model Account {
  id      Int    @id
  name    String
  balance Int

  @@map("accounts")
}

model Value {
  id      Int      @id
  big     BigInt
  price   Decimal
  at      DateTime
  doc     Json
  bytes   Bytes
  numbers Int[]
}
`

export const TABLES = {
  postgresql: `
    create table "User" (id serial primary key, email text unique not null, name text);
    create table "Post" (id serial primary key, title text not null,
      "authorId" int not null references "User" deferrable initially immediate);
    create table "Value" (id int primary key, big int8 not null, price numeric not null, at timestamp(3) not null,
      doc jsonb not null, bytes bytea not null, numbers int[])`,
  mysql: [
    'create table User (id int auto_increment primary key, email varchar(191) unique not null, name varchar(191))',
    `create table Post (id int auto_increment primary key, title varchar(191) not null, authorId int not null,
      foreign key (authorId) references User (id))`,
  ],
}

interface Model {
  create(args: object): Promise<Record<string, unknown>>
  createMany(args: object): Promise<{ count: number }>
  count(args?: object): Promise<number>
  deleteMany(args?: object): Promise<{ count: number }>
  findMany(args?: object): PromiseLike<Record<string, unknown>[]>
  findUnique(args: object): Promise<Record<string, unknown> | null>
  update(args: object): PromiseLike<Record<string, unknown>>
}

/** What a transaction's body gets. */
export interface Statements {
  readonly user: Model
  readonly post: Model
  readonly value: Model
  readonly account: Model
  $queryRawUnsafe<R>(sql: string, ...values: unknown[]): Promise<R>
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>
}

interface Limits {
  maxWait?: number
  timeout?: number
  isolationLevel?: string
}

/** The generated client. */
export interface Prisma extends Statements {
  $transaction<T>(work: (tx: Statements) => Promise<T>, limits?: Limits): Promise<T>
  $transaction(work: readonly PromiseLike<unknown>[], limits?: Limits): Promise<unknown[]>
  $disconnect(): Promise<void>
}

/** What Prisma's own adapter makes. */
interface Adapter {
  executeRaw(query: { sql: string; args: unknown[]; argTypes: unknown[] }): Promise<number>
  startTransaction(): Promise<Adapter & { commit(): Promise<void>; rollback(): Promise<void> }>
  dispose(): Promise<void>
}

export type AdapterFactory = Omit<PrismaAdapterFactory, 'connect'> & { connect(): Promise<Adapter> }

/** Prisma's own limits for transactions are two and five seconds: here none is to be met that a test has not set. */
export const PATIENT = { transactionOptions: { maxWait: 30_000, timeout: 30_000 } }

interface Lab {
  readonly PrismaClient: new (options: { adapter: unknown; transactionOptions?: Limits }) => Prisma
  readonly Prisma: { readonly PrismaClientKnownRequestError: new (...args: never[]) => Error }
  readonly PrismaPg: PrismaAdapterClass & (new (config: object, options?: object) => AdapterFactory)
  readonly PrismaMariaDb: PrismaAdapterClass & (new (config: object, options?: object) => AdapterFactory)
}

export async function prismaFor(provider: 'postgresql' | 'mysql'): Promise<Lab> {
  const folder = await clientOf(provider)
  const require = createRequire(join(folder, 'lab.js'))
  return {
    ...require(join(folder, 'client')),
    PrismaPg: require('@prisma/adapter-pg').PrismaPg,
    PrismaMariaDb: require('@prisma/adapter-mariadb').PrismaMariaDb,
  }
}

/** The folder in which the client of that database is. */
export async function clientOf(provider: 'postgresql' | 'mysql'): Promise<string> {
  const home = await cached(
    'prisma',
    PACKAGES.map((name) => `${name}@7.10.0`),
  )
  const schema = `
    generator client {
      provider = "prisma-client-js"
      output   = "./client"
    }
    datasource db {
      provider = "${provider}"
    }
    ${MODELS} ${provider === 'postgresql' ? OF_POSTGRES : ''}`
  return generated(home, schema)
}

async function generated(home: string, schema: string): Promise<string> {
  const version = createHash('sha256').update(schema).digest('hex').slice(0, 8)
  const folder = join(home, `client-${version}`)
  if (existsSync(folder)) return folder
  const half = `${folder}.${process.pid}`
  mkdirSync(half, { recursive: true })
  writeFileSync(join(half, 'schema.prisma'), schema)
  // It would be fetched, and is not asked for anything.
  const engine = join(half, 'engine')
  writeFileSync(engine, '#!/bin/sh\n')
  chmodSync(engine, 0o755)
  const { code, output } = await run(
    process.execPath,
    [join(home, 'node_modules/prisma/build/index.js'), 'generate', '--schema', 'schema.prisma'],
    {
      cwd: half,
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: engine, CHECKPOINT_DISABLE: '1', NO_COLOR: '1' },
      timeoutMs: 240_000,
    },
  )
  if (code !== 0) throw new Error(`prisma generate: ${output}`)
  return settle(half, folder)
}
