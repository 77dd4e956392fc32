/** Deep copies of modules, as Python's `copy.deepcopy`. */
import { Tensor } from '../torch/index.js';
import { hookedForward, rehook } from './hooks.js';
import { type AnyModule, internals, Module } from './module.js';
import { Buffer, Parameter } from './parameter.js';

function copyTensor(tensor: Tensor): Tensor {
  const data = tensor.detach().clone();
  if (tensor instanceof Parameter) return new Parameter(data, { requiresGrad: tensor.requiresGrad });
  if (tensor instanceof Buffer) return new Buffer(data, { persistent: tensor.persistent });
  return tensor.requiresGrad ? data.requiresGrad_(true) : data;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function copyValue(value: unknown, done: Map<unknown, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  const remember = <T>(copy: T): T => {
    done.set(value, copy);
    return copy;
  };
  if (value instanceof Tensor) return remember(copyTensor(value));
  if (value instanceof Module) return copyModule(value as AnyModule, done);
  if (Array.isArray(value)) {
    const copy: unknown[] = remember([]);
    for (const element of value as unknown[]) copy.push(copyValue(element, done));
    return copy;
  }
  if (value instanceof Map) {
    const copy = remember(new Map<unknown, unknown>());
    for (const [key, element] of value) copy.set(copyValue(key, done), copyValue(element, done));
    return copy;
  }
  if (value instanceof Set) {
    const copy = remember(new Set<unknown>());
    for (const element of value) copy.add(copyValue(element, done));
    return copy;
  }
  // Objects of other classes (generators, data sets) are not the module's own: the copy refers to the same ones.
  if (!isPlain(value)) return value;
  const copy = remember(Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>);
  for (const [key, element] of Object.entries(value)) copy[key] = copyValue(element, done);
  return copy;
}

function copyModule(module: AnyModule, done: Map<unknown, unknown>): AnyModule {
  const copy = Object.create(Object.getPrototypeOf(module) as object) as AnyModule;
  done.set(module, copy);
  const { buffers, hooks } = module[internals];
  copy[internals] = { buffers: new Map(buffers), hooks: null };
  const hooked = hookedForward(module);
  for (const key of Object.getOwnPropertyNames(module)) {
    if (key === 'forward' && hooked) continue;
    const descriptor = Object.getOwnPropertyDescriptor(module, key) as PropertyDescriptor;
    if ('value' in descriptor) descriptor.value = copyValue(descriptor.value, done);
    Object.defineProperty(copy, key, descriptor);
  }
  if (hooks !== null) rehook(copy, hooks);
  return copy;
}

/** A module with its own copies of all that it holds. */
export function deepCopy<M>(module: M): M {
  return copyValue(module, new Map()) as M;
}
