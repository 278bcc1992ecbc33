type Callable = (...args: unknown[]) => unknown

/** A class that is loaded when somebody first looks at it; `instanceof`, `new` and `extends` are about the class itself. */
export function lateClass<T extends object>(load: () => T): T {
  const found = () => load() as unknown as Callable
  const late: Callable = new Proxy(function Late() {} as Callable, {
    get: (_, key) => Reflect.get(found(), key),
    set: (_, key, value) => Reflect.set(found(), key, value),
    has: (_, key) => Reflect.has(found(), key),
    getPrototypeOf: () => Reflect.getPrototypeOf(found()),
    apply: (_, self, args) => Reflect.apply(found(), self, args),
    construct: (_, args, target) =>
      Reflect.construct(found(), args, target === late ? found() : target) as object,
  })
  return late as unknown as T
}

/** An object that is loaded when somebody first looks into it. */
export function lateObject<T extends object>(load: () => T): T {
  return new Proxy({} as T, {
    get: (_, key) => Reflect.get(load(), key),
    set: (_, key, value) => Reflect.set(load(), key, value),
    has: (_, key) => Reflect.has(load(), key),
    ownKeys: () => Reflect.ownKeys(load()),
    getOwnPropertyDescriptor: (_, key) => {
      const found = Reflect.getOwnPropertyDescriptor(load(), key)
      return found && { ...found, configurable: true }
    },
  })
}

/** A function that is loaded when it is first called. */
export function lateFunction<F extends (...args: never[]) => unknown>(load: () => F): F {
  return ((...args: never[]) => load()(...args)) as F
}
