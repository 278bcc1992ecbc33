export * from './promise-names.ts'
/** For `import mysql from`, which gives the whole package. */
export * as default from './promise-names.ts'
