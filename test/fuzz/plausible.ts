/** Arguments that an operator may well accept, so that the hostile ones beside them get as far as they can. */
import { dtypeCodes, layoutCodes, memoryFormatCodes } from '../../src/torch/dtype.js';
import { Generator, Tensor, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import type { SchemaType } from '../../src/torch/schema.js';
import { enumerationCode } from '../../src/torch/values.js';
import { is, pick, type Random, Raw } from './hostile-values.js';

const shapes: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [3],
  [2, 3],
  [3, 3],
  [2, 3, 4],
  [1, 2, 4, 4],
  [2, 0, 3],
  [1, 2, 3, 4, 4],
];
const ordinaryTypes = [
  'float32',
  'float32',
  'float32',
  'float64',
  'int64',
  'bool',
  'complex64',
  'bfloat16',
  'uint8',
] as const;

/** What the tensors of one call have in common, most of the time. */
export interface Fashion {
  readonly shape: readonly number[];
  readonly dtype: (typeof ordinaryTypes)[number];
}

export const fashion = (random: Random): Fashion => ({
  shape: pick(random, shapes),
  dtype: pick(random, ordinaryTypes),
});

function tensor(random: Random, common: Fashion): Tensor {
  const usual = random(10) < 7;
  const { shape, dtype } = usual ? common : fashion(random);
  const made = torch.ones([...shape], { dtype });
  switch (random(24)) {
    case 0:
      return torch.empty([...shape], { dtype, device: 'meta' });
    case 1:
      return /float|complex/.test(dtype) ? made.requiresGrad_(true) : made;
    case 2:
      return shape.length === 2 ? made.t() : made;
    case 3:
      return made.expand([2, ...shape]);
    case 4:
      return shape.length === 2 ? made.toSparse() : made;
    case 5:
      return torch.quantizePerTensor(torch.ones([...shape]), 0.1, 3, 'quint8');
    default:
      return made;
  }
}

const words = [
  'mean',
  'sum',
  'none',
  'reflect',
  'constant',
  'linear',
  'tanh',
  'floor',
  'trunc',
  'sum',
  'ij,jk->ik',
  'reduced',
  'sparse',
  'amax',
  'left',
  'N',
  '',
];

/** Names of the types that the bridge knows by number. */
export const enumerations: Readonly<Record<string, readonly string[]>> = {
  ScalarType: Object.keys(dtypeCodes).slice(0, 16),
  Layout: Object.keys(layoutCodes),
  MemoryFormat: Object.keys(memoryFormatCodes),
};

function single(base: string, random: Random, common: Fashion): unknown {
  switch (base) {
    case 'Tensor':
      return tensor(random, common);
    case 'int':
    case 'SymInt':
      return pick(random, [0, 1, 2, 3, -1, 1, 0, 4, -2]);
    case 'float':
      return pick(random, [0.5, 0, 1, -1, 1e-5, 2, NaN, Infinity]);
    case 'Scalar':
    case 'number':
      return pick<unknown>(random, [1, 2, 0, 0.5, -1, true, 3n, { re: 1, im: 1 }, NaN]);
    case 'bool':
      return random(2) === 1;
    case 'str':
      return pick(random, words);
    case 'Device':
      return pick(random, ['cpu', 'cpu', 'meta', 'cuda:7']);
    case 'Generator':
      return new Generator('cpu');
    case 'Stream':
      return null;
    default: {
      const names = enumerations[base];
      return names === undefined ? null : pick(random, names);
    }
  }
}

/** A value that fits the type, as the public API takes it. */
export function plausible(type: SchemaType, random: Random, common: Fashion): unknown {
  if (type.optional && random(2) === 0) return null;
  if (!type.list) return single(type.base, random, common);
  const length = type.listSize ?? pick(random, [common.shape.length, 0, 1, 2, 3, 4]);
  return Array.from({ length }, () =>
    type.elementOptional && random(3) === 0 ? null : single(type.base, random, common),
  );
}

/** The same value as the bridge takes it: handles for tensors, codes for names. Lists that run code when read stay what they are. */
export function toNative(value: unknown, base: string): unknown {
  if (is(value, Raw)) return value.value;
  if (typeof value === 'string' && base in enumerations) return enumerationCode(base, value) ?? value;
  if (typeof value !== 'object' || value === null) return value;
  try {
    if (is(value, Tensor) || is(value, Generator)) return value.handle;
    if (!Array.isArray(value)) return value;
    // The layer above refuses lists longer than any operator takes.
    if (value.length > 2 ** 24) return [undefined];
    const getter = Object.getOwnPropertyDescriptor(value, 0)?.get ?? Object.getOwnPropertyDescriptor(value, 1)?.get;
    if (getter !== undefined || value.length > 10_000) return value;
    const result: unknown[] = new Array(value.length);
    for (const index of Object.keys(value)) {
      const element: unknown = value[Number(index)];
      if (Number.isInteger(Number(index)))
        result[Number(index)] = is(element, Tensor) ? element.handle : toNative(element, base === '' ? '' : base);
    }
    return result;
  } catch {
    return value; // a trap that throws: let the bridge meet it
  }
}

/**
 * Whether a value can never stand for an argument of this type, so that a call with it must fail.
 * Says no when in doubt: objects may be options, null and undefined may mean the default.
 */
export function mustRefuse(type: SchemaType, value: unknown, inBridge: boolean): boolean {
  const given = is(value, Raw) ? value.value : value;
  if (given === undefined || given === null) return false;
  // In the bridge a boolean means: look in the scratch memory.
  if (typeof given === 'boolean' && inBridge && (type.list || type.base === 'Tensor')) return false;
  if (typeof given === 'symbol' || typeof given === 'function') return true;
  if (type.list)
    return (
      typeof given === 'string' || (typeof given === 'number' && (type.base === 'Tensor' || !Number.isFinite(given)))
    );
  switch (type.base) {
    case 'Tensor':
      return (
        ['string', 'boolean', 'bigint'].includes(typeof given) ||
        (typeof given === 'number' && !(given < 0)) ||
        disposed(given)
      );
    case 'int':
    case 'SymInt':
      return typeof given === 'number'
        ? !Number.isSafeInteger(given) && Math.abs(given) !== 2 ** 53
        : typeof given === 'string' || typeof given === 'boolean';
    case 'float':
      return typeof given !== 'number' && typeof given !== 'object';
    case 'bool':
      return typeof given !== 'boolean' && typeof given !== 'object';
    case 'str':
      return typeof given !== 'string' && typeof given !== 'object';
    case 'Generator':
      return typeof given !== 'object';
    default:
      return false;
  }
}

function disposed(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return is(value, Tensor) && typeof value.handle === 'number' && value.handle < 0 && native.isDisposed(value.handle);
  } catch {
    return false;
  }
}
