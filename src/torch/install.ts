/** Puts the engine's operators where programs look for them: methods on Tensor, functions for `torch` and its namespaces. */
import { makeFunction, makeMethod } from './dispatch.js';
import { methodNames } from './generated/names.generated.js';
import { Tensor } from './tensor.js';

/** Adds every method that Tensor does not define itself. */
export function installMethods(): void {
  for (const [title, name] of Object.entries(methodNames)) {
    if (Object.hasOwn(Tensor.prototype, title)) continue;
    Object.defineProperty(Tensor.prototype, title, {
      value: makeMethod(title, name),
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
}

/** Functions for a table of names, made when they are first asked for: a program uses a few dozen of a thousand. */
export function functionNamespace(names: Readonly<Record<string, string>>, prefix: string): Record<string, unknown> {
  const namespace: Record<string, unknown> = {};
  for (const [title, name] of Object.entries(names)) {
    const spot: PropertyDescriptor = {
      configurable: true,
      enumerable: true,
      get() {
        const made = makeFunction(prefix + title, name);
        Object.defineProperty(namespace, title, { value: made, enumerable: true, configurable: true, writable: true });
        return made;
      },
    };
    Object.defineProperty(namespace, title, spot);
  }
  return namespace;
}
