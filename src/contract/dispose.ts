/// <reference lib="esnext.disposable" preserve="true" />

/** The symbols of `using`, also where the realm does not have them: Jest's on Node 20 and 22. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as never)
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as never)
