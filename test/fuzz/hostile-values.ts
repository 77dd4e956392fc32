/** Values that no operator expects: what a careless or a malicious program could pass. */
import { Generator, Tensor, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import type { Handle } from '../../src/torch/native.js';

export type Random = (below: number) => number;

/** Thrown by the getters and traps of hostile values, so that it is recognised on its way out. */
export class Sabotage extends Error {}
const sabotage = (): never => {
  throw new Sabotage('sabotage');
};

/** Passed to the bridge as it is, never translated. */
export class Raw {
  constructor(readonly value: unknown) {}
}

/** `instanceof` that traps cannot disturb. */
export function is<T>(value: unknown, kind: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

export const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

/** Integers at which sizes, counts and casts go wrong. None fits into memory by accident: they are small or beyond 2^31. */
export const hugeIntegers: readonly (number | bigint)[] = [
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 40,
  2 ** 53,
  -(2 ** 53),
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

/** Numbers that are no integers of 64 bits. */
const noIntegers: readonly unknown[] = [NaN, Infinity, -Infinity, 0.5, -1.5, 1e18, 2 ** 63, 1e300, 5e-324];

const strings: readonly string[] = [
  '',
  'cpu',
  'meta',
  'cuda:7',
  'cuda:-1',
  'cpu:99999999999999999999',
  'float32',
  'no_such_thing',
  'mean',
  '%s%n%x',
  '\0',
  'a\0b',
  '\ud800',
  '../../..',
  '__proto__',
  'ij,jk->ik',
];

function holes(length: number): unknown[] {
  const array: unknown[] = [];
  array[length - 1] = 1;
  return array;
}

/** Its own length is changed by reading its first element. */
function shifting(random: Random, content: readonly unknown[]): unknown[] {
  const array = [...content, ...content];
  const first = array[0];
  const change = random(3);
  Object.defineProperty(array, 0, {
    configurable: true,
    get() {
      if (change === 0) array.length = 1;
      else if (change === 1 && array.length < 50) array.push(first);
      else torch.ones([2]).sum([0]);
      return first;
    },
  });
  return array;
}

function throwing(): unknown[] {
  const array = [1, 2];
  Object.defineProperty(array, 1, { get: sabotage });
  return array;
}

const traps = (target: object): object =>
  new Proxy(target, { get: sabotage, has: sabotage, ownKeys: sabotage, getPrototypeOf: sabotage });

/** Objects that look like tensors and are none, or are no longer. */
function falseTensor(random: Random): unknown {
  const forged = (handle: unknown): unknown =>
    Object.defineProperty(Object.create(Tensor.prototype), 'handle', { value: handle, writable: true });
  switch (random(9)) {
    case 0:
    case 1:
    case 2: {
      const tensor = torch.ones([2]);
      tensor.dispose();
      return tensor;
    }
    case 3:
      return new Tensor(null);
    case 4:
      return Object.create(Tensor.prototype);
    case 5:
      return forged(pick(random, [NaN, -1.5, -(2 ** 31), -1e300, 1e300, '-1', 7n, Symbol('s'), {}, undefined, null]));
    case 6: {
      // The right slot, another generation of it.
      const tensor = torch.ones([2]);
      const stale = tensor.handle - 2 ** 24 * (1 + random(100));
      tensor.dispose();
      return forged(stale);
    }
    case 7:
      return traps(torch.ones([2]));
    default:
      return forged(native.defaultGenerator('cpu'));
  }
}

const objects: readonly (() => unknown)[] = [
  () => ({}),
  () => ({ re: 1 }),
  () => ({ re: NaN, im: 'x' }),
  () => ({ re: 1, im: 2 }),
  () => ({ float: 'x' }),
  () => ({ float: 2 }),
  () => ({ dtype: 'float32', nonsense: 1 }),
  () => Object.defineProperty({}, 're', { get: sabotage, enumerable: true }),
  () => Object.defineProperty({}, 'out', { get: sabotage, enumerable: true }),
  () => Object.create(null) as unknown,
  () => traps({}),
  () => traps([1, 2]),
  () => new Proxy([1, 2], {}),
  () => new Date(0),
  () => new Map([[1, 2]]),
  () => /x/g,
  () => new Uint8Array(3),
  () => new Float64Array([1, 2]),
  () => new BigInt64Array(1),
  () => new ArrayBuffer(8),
  () => new SharedArrayBuffer(8),
  () => Object(3) as unknown,
  () => Object('float32') as unknown,
  () => Object(3n) as unknown,
  () => ({ valueOf: sabotage, toString: sabotage, [Symbol.toPrimitive]: sabotage }),
  () => sabotage,
  () => class {},
  () => Symbol('s'),
  () => Symbol.iterator,
  () => new Generator('cpu'),
  () => Object.create(Generator.prototype) as unknown,
  () => new Raw(native.defaultGenerator('cpu')),
  () => new Error('x'),
  () => globalThis,
];

const arrays: readonly ((random: Random) => unknown)[] = [
  () => [],
  () => [[]],
  () => [[1, 2], [3]],
  () => [1, [2]],
  () => [null],
  () => [undefined, 1],
  () => [NaN],
  () => [0.5, 1],
  () => [1, 'a'],
  () => [true, 1],
  () => ['a', 'b'],
  () => [{}],
  () => [Symbol('s')],
  () => [1n, 2n ** 70n],
  () => [() => 1],
  () => holes(4),
  () => new Array(3),
  () => new Array(2 ** 32 - 1),
  () => throwing(),
  () => Object.freeze([1, 2]),
  () => Object.assign([1, 2], { length: 2, extra: sabotage }),
  () => {
    const cyclic: unknown[] = [1];
    cyclic.push(cyclic);
    return cyclic;
  },
  () => new Array(5000).fill(1),
  () => new Array(100).fill(2),
  (random) => shifting(random, [1, 2]),
  (random) => shifting(random, [torch.ones([2]), torch.ones([2])]),
  (random) => shifting(random, [true]),
  (random) => [torch.ones([2]), falseTensor(random)],
  () => [torch.ones([2]), null],
  () => [torch.ones([2]), undefined, 3],
  (random) => [pick(random, hugeIntegers), pick(random, hugeIntegers)],
  (random) => [pick(random, hugeIntegers)],
  (random) => [pick(random, noIntegers)],
  (random) => [falseTensor(random)],
];

/** One hostile value. */
export function hostile(random: Random): unknown {
  switch (random(14)) {
    case 0:
      return undefined;
    case 1:
      return null;
    case 2:
    case 3:
      return pick(random, noIntegers);
    case 4:
    case 5:
      return pick(random, hugeIntegers);
    case 6:
      return pick(random, [2n ** 64n, -(2n ** 70n), -1, -0, 0, 1e6, true, false]);
    case 7:
      return random(20) === 0 ? 'x'.repeat(100_000) : pick(random, strings);
    case 8:
    case 9:
      return falseTensor(random);
    case 10:
      // A number where a tensor's handle may be expected.
      return new Raw(pick(random, [0, 1, -0.5, -(2 ** 31), -(2 ** 24) * 77, -1e18, NaN, 2 ** 31]) as Handle);
    case 11:
    case 12:
      return pick(random, arrays)(random);
    default:
      return pick(random, objects)();
  }
}
