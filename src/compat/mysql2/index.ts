export * from './names.ts'
/** For `import mysql from`, which gives the whole package. */
export * as default from './names.ts'
