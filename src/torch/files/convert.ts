import { FileFormatError } from './errors.js';
import { LIMITS } from './limits.js';
import {
  describeKind,
  PickleComplex,
  PickleDict,
  PickleElementType,
  PickleList,
  PickleSet,
  PickleStorage,
  PickleTensor,
  PickleText,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js';

/**
 * Under this key, not enumerable, a loaded state dict carries what Python keeps in its `_metadata` attribute (module versions).
 * `torch.save` writes it back.
 */
export const stateDictMetadata: unique symbol = Symbol('stateDictMetadata');

type Container = PickleList | PickleTuple | PickleDict | PickleSet;
type Shell = unknown[] | Record<string, unknown> | Map<unknown, unknown> | Set<unknown>;

/**
 * Turns descriptions of Python values into TypeScript ones. Shared and cyclic containers stay shared and cyclic; nothing recurses,
 * so depth cannot overflow the stack.
 *
 * @param tensor makes the tensor of a description, and of a storage that was saved by itself.
 */
export function convert(
  root: PickleValue,
  file: string,
  tensor: (value: PickleTensor | PickleStorage) => unknown,
): unknown {
  const known = new Map<Container, Shell>();
  const pending: { node: Container; shell: Shell; depth: number }[] = [];

  const make = (value: PickleValue, depth: number): unknown => {
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
    if (value instanceof PickleTensor || value instanceof PickleStorage) return tensor(value);
    if (value instanceof PickleText) return value.text;
    if (value instanceof PickleComplex) return { re: value.re, im: value.im };
    if (value instanceof PickleElementType && !value.isStorage) return value.type.name;
    if (
      value instanceof PickleList ||
      value instanceof PickleTuple ||
      value instanceof PickleDict ||
      value instanceof PickleSet
    ) {
      const old = known.get(value);
      if (old !== undefined) return old;
      if (depth >= LIMITS.nesting) throw new FileFormatError(file, `nests containers deeper than ${LIMITS.nesting}`);
      const shell = makeShell(value);
      known.set(value, shell);
      pending.push({ node: value, shell, depth });
      return shell;
    }
    throw new FileFormatError(file, `holds ${describeKind(value)} itself as a value, which has no counterpart here`);
  };

  const result = make(root, 0);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, shell, depth } = next;
    if (node instanceof PickleDict)
      fillDict(node, shell as Record<string, unknown> | Map<unknown, unknown>, depth, make);
    else if (shell instanceof Set) for (const item of node.items) shell.add(make(item, depth + 1));
    else for (const item of node.items) (shell as unknown[]).push(make(item, depth + 1));
    // A tuple cannot change in Python either; and many places of a file may share it.
    if (node instanceof PickleTuple) Object.freeze(shell);
  }
  return result;
}

function makeShell(node: Container): Shell {
  if (node instanceof PickleDict) return hasOnlyTextKeys(node) ? {} : new Map();
  return node instanceof PickleSet ? new Set() : [];
}

function hasOnlyTextKeys(node: PickleDict): boolean {
  for (let at = 0; at < node.pairs.length; at += 2) if (typeof node.pairs[at] !== 'string') return false;
  return true;
}

function fillDict(
  node: PickleDict,
  shell: Record<string, unknown> | Map<unknown, unknown>,
  depth: number,
  make: (value: PickleValue, depth: number) => unknown,
): void {
  const { pairs } = node;
  for (let at = 0; at < pairs.length; at += 2) {
    const value = make(pairs[at + 1]!, depth + 1);
    if (shell instanceof Map) shell.set(make(pairs[at]!, depth + 1), value);
    else setOwn(shell, pairs[at] as string, value);
  }
  const metadata = node.attributes === null ? undefined : attribute(node.attributes, '_metadata');
  if (metadata !== undefined) {
    const value = make(metadata, depth + 1);
    Object.defineProperty(shell, stateDictMetadata, { value, writable: true, configurable: true, enumerable: false });
  }
}

function attribute(attributes: PickleDict, name: string): PickleValue | undefined {
  const at = attributes.pairs.findIndex((key, index) => index % 2 === 0 && key === name);
  return at < 0 ? undefined : attributes.pairs[at + 1];
}

/** `object[key] = value` as an own property even for `__proto__`, which assignment would take as the prototype. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: true });
  } else {
    object[key] = value;
  }
}

/**
 * The entries of a Python dict as `torch.load` gives it: a plain object when all keys are strings (also when it is empty), else a
 * Map. Where either may come, as in the `state` of an optimizer's state dict, this makes it always a Map.
 */
export function asMap(dict: Readonly<Record<string, unknown>> | ReadonlyMap<unknown, unknown>): Map<unknown, unknown> {
  return dict instanceof Map ? new Map(dict) : new Map<unknown, unknown>(Object.entries(dict));
}
