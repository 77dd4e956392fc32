import { type ElementType, elementByName, elementByStorage } from './element-types.js';
import { FileFormatError, quote } from './errors.js';
import { LIMITS } from './limits.js';
import { numpyScalar, numpyType, setNumpyState } from './numpy-scalars.js';
import type { PickleWorld } from './pickle-reader.js';
import {
  describeKind,
  PickleComplex,
  PickleDict,
  PickleElementType,
  PickleGlobal,
  PickleList,
  PickleNumpyType,
  PickleSet,
  type PickleStorage,
  PickleTensor,
  PickleText,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js';
import { dense, flag, natural, naturalList, sparse } from './tensor-arguments.js';

type Reducer = (world: TorchWorld, args: readonly PickleValue[]) => PickleValue;

/**
 * Everything a file may name: PyTorch's own `weights_only` list, without its quantised, nested and subclassed tensors, plus
 * numpy's scalars. Each entry is a small function of this project that builds a description; no name is ever looked up anywhere
 * else.
 *
 * Source: `torch/_weights_only_unpickler.py` (PyTorch 2.13).
 */
const REDUCERS: Readonly<Record<string, Reducer>> = {
  'collections.OrderedDict': (world, args) => world.dict(args),
  'collections.Counter': (world, args) => world.dict(args),
  'builtins.set': (world, args) => world.set(args),
  'builtins.frozenset': (world, args) => world.set(args),
  'builtins.complex': (world, args) => world.complex(args),
  'builtins.bytearray': (world, args) => world.bytes(args),
  '_codecs.encode': (world, args) => world.bytes(args),
  'torch.Size': (world, args) => world.size(args),
  'torch.device': (world, args) => world.device(args),
  'torch.serialization._get_layout': (world, args) => world.layout(args),
  'torch._utils._rebuild_tensor': (world, args) => world.tensor(args.slice(0, 4)),
  'torch._utils._rebuild_tensor_v2': (world, args) => world.tensor(args.slice(0, 5), null, args[6]),
  'torch._utils._rebuild_tensor_v3': (world, args) => world.tensor(args.slice(0, 5), args[6] ?? null, args[7]),
  'torch._utils._rebuild_parameter': (world, args) => world.parameter(args),
  'torch._utils._rebuild_parameter_with_state': (world, args) => world.parameter(args),
  'torch.nn.parameter.Parameter': (world, args) => world.parameter(args.length === 1 ? [args[0]!, true] : args),
  'torch._tensor._rebuild_from_type_v2': (world, args) => world.fromType(args),
  'torch._utils._rebuild_sparse_tensor': (world, args) => sparse(world, args),
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': (world, args) => world.fromCpu(args),
  'numpy.core.multiarray.scalar': (world, args) => numpyScalar(args, world.fail),
  'numpy._core.multiarray.scalar': (world, args) => numpyScalar(args, world.fail),
  'numpy.dtype': (world, args) => numpyType(args, world.fail),
};

/** Names that are only ever arguments. */
const CLASSES: ReadonlySet<string> = new Set(['torch.Tensor', 'torch._tensor.Tensor']);

/** What PyTorch itself allows and this reader knows, but does not support. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_qtensor': 'a quantised tensor',
  'torch.per_tensor_affine': 'a quantised tensor',
  'torch.per_tensor_symmetric': 'a quantised tensor',
  'torch.per_channel_affine': 'a quantised tensor',
  'torch.per_channel_symmetric': 'a quantised tensor',
  'torch.per_channel_affine_float_qparams': 'a quantised tensor',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor',
  'torch._utils._rebuild_wrapper_subclass': 'a tensor subclass',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a tensor on the meta device, which has no data',
  'torch._utils._rebuild_device_tensor_from_numpy': 'a tensor of a device that PyTorch saves as a numpy array',
};

/** Python 2's module names, which protocol 2 keeps using, and PyTorch's moved ones. */
const MODULES: Readonly<Record<string, string>> = {
  __builtin__: 'builtins',
  'torch.tensor': 'torch._tensor',
};

/** Where the bytes of a storage are found; the two container formats differ in it. */
export interface StorageResolver {
  /**
   * The storage of a persistent id. Must give the same object for the same key.
   * `view` is the legacy format's (key, offset, size) of a storage that is part of another.
   */
  resolve(key: string, type: ElementType, untyped: boolean, elements: number, view: PickleValue): PickleStorage;
}

/** Gives meaning to the pickle streams that PyTorch writes. */
export class TorchWorld implements PickleWorld {
  readonly #file: string;
  readonly #storages: StorageResolver | null;
  #tensors = 0;
  #copied = 0;

  /** Without `storages`, persistent ids are refused (the small streams around the main one in legacy files). */
  constructor(file: string, storages: StorageResolver | null) {
    this.#file = file;
    this.#storages = storages;
  }

  readonly fail = (problem: string): FileFormatError => new FileFormatError(this.#file, problem);

  global(module: string, name: string): PickleValue {
    const path = `${Object.hasOwn(MODULES, module) ? MODULES[module] : module}.${name}`;
    if (Object.hasOwn(REDUCERS, path) || CLASSES.has(path)) return new PickleGlobal(path);
    const storage = /^torch\.(?:cuda\.|storage\.)?(\w+Storage)$/.exec(path)?.[1];
    if (storage === 'UntypedStorage') return new PickleElementType(elementByName('uint8')!, true, true);
    const typed = storage === undefined ? undefined : elementByStorage(storage);
    if (typed !== undefined) return new PickleElementType(typed, true, false);
    const type = path.startsWith('torch.') ? elementByName(path.slice(6)) : undefined;
    if (type !== undefined) return new PickleElementType(type, false, false);
    if (Object.hasOwn(UNSUPPORTED, path)) {
      throw this.fail(`holds ${UNSUPPORTED[path]} (${path}), which Praxis does not read`);
    }
    throw this.fail(
      `names the Python object ${quote(path)}, which is not on the list of what a tensor file may hold. Nothing was run. ` +
        'If you trust the file, open it in Python and save only its tensors, numbers, strings, lists and dicts',
    );
  }

  reduce(callable: PickleValue, args: readonly PickleValue[]): PickleValue {
    if (!(callable instanceof PickleGlobal) || !Object.hasOwn(REDUCERS, callable.name)) {
      throw this.fail(`tries to call ${describeKind(callable)}, which is not a function that a tensor file may name`);
    }
    return REDUCERS[callable.name]!(this, args);
  }

  build(target: PickleValue, state: PickleValue): void {
    if (target instanceof PickleDict && state instanceof PickleDict) target.attributes = state;
    else if (target instanceof PickleNumpyType) setNumpyState(target, state, this.fail);
    else throw this.fail(`gives attributes to ${describeKind(target)}, which no tensor file needs`);
  }

  persistent(id: PickleValue): PickleValue {
    if (this.#storages === null) throw this.fail('refers to a storage where none can be');
    if (!(id instanceof PickleTuple) || id.items.length < 5 || id.items[0] !== 'storage') {
      const kind = id instanceof PickleTuple && typeof id.items[0] === 'string' ? quote(id.items[0]) : describeKind(id);
      throw this.fail(`refers to an outside object of the kind ${kind}; only storages are read`);
    }
    const [, type, key, , elements, view] = id.items;
    if (!(type instanceof PickleElementType) || !type.isStorage) throw this.fail('names a storage of no known type');
    if (typeof key !== 'string') throw this.fail(`names a storage by ${describeKind(key!)} instead of a string`);
    const count = natural(elements, 'number of elements of a storage', this.fail);
    if (!Number.isSafeInteger(count * type.type.bytes)) throw this.fail(`has a storage of ${count} elements`);
    return this.#storages.resolve(key, type.type, type.untyped, count, view ?? null);
  }

  dict(args: readonly PickleValue[]): PickleDict {
    const dict = new PickleDict();
    const [given] = args;
    if (args.length > 1) throw this.fail('makes a dict of several arguments');
    if (given === undefined) return dict;
    if (given instanceof PickleDict) {
      this.#charge(given.pairs.length);
      for (const item of given.pairs) dict.pairs.push(item);
      return dict;
    }
    // Python 2 wrote OrderedDicts as a list of [key, value] lists.
    for (const pair of this.#items(given, 'a dict')) {
      const both = this.#items(pair, 'an item of a dict');
      if (both.length !== 2) throw this.fail('has an item of a dict that is not a pair');
      dict.pairs.push(both[0]!, both[1]!);
    }
    return dict;
  }

  set(args: readonly PickleValue[]): PickleSet {
    const set = new PickleSet();
    if (args.length > 1) throw this.fail('makes a set of several arguments');
    if (args.length === 1) for (const item of this.#items(args[0]!, 'a set')) set.items.push(item);
    return set;
  }

  complex(args: readonly PickleValue[]): PickleComplex {
    const [re, im] = args;
    if (args.length !== 2 || typeof re !== 'number' || typeof im !== 'number')
      throw this.fail('has a malformed complex number');
    return new PickleComplex(re, im);
  }

  /** Protocol 2 writes bytes as latin-1 text: `_codecs.encode('…', 'latin1')`, `bytearray('…', 'latin-1')`. */
  bytes(args: readonly PickleValue[]): Uint8Array {
    const [text, encoding] = args;
    if (text === undefined) return new Uint8Array(0);
    if (typeof text === 'string' || text instanceof Uint8Array) this.#charge(text.length / 8);
    if (text instanceof Uint8Array && args.length === 1) return text.slice();
    const latin = encoding === 'latin1' || encoding === 'latin-1';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of latin-1.
    if (typeof text !== 'string' || !latin || !/^[\u0000-\u00ff]*$/.test(text)) throw this.fail('has malformed bytes');
    return new Uint8Array(Buffer.from(text, 'latin1'));
  }

  size(args: readonly PickleValue[]): PickleTuple {
    return new PickleTuple(args.length === 0 ? [] : naturalList(args[0], 'torch.Size', this.fail));
  }

  device(args: readonly PickleValue[]): PickleText {
    const [type, index] = args;
    if (typeof type !== 'string' || !/^[a-z_]{1,32}(:\d{1,4})?$/.test(type) || args.length > 2)
      throw this.fail('has a malformed torch.device');
    const number = index === undefined || index === null ? '' : `:${natural(index, 'device index', this.fail)}`;
    return new PickleText('device', type + number);
  }

  layout(args: readonly PickleValue[]): PickleText {
    const name = args[0];
    if (typeof name !== 'string' || !/^torch\.[a-z_]{1,32}$/.test(name)) throw this.fail('has a malformed layout');
    return new PickleText('layout', name.slice(6));
  }

  tensor(
    args: readonly PickleValue[],
    type: PickleValue = null,
    metadata: PickleValue | undefined = null,
  ): PickleTensor {
    this.countTensor();
    const [storage, offset, shape, strides, requiresGrad] = args;
    const body = dense({ storage, offset, shape, strides, type, metadata: metadata ?? null }, this.fail);
    return this.#withGradient(body, requiresGrad ?? false);
  }

  parameter(args: readonly PickleValue[]): PickleTensor {
    const [data, requiresGrad] = args;
    if (!(data instanceof PickleTensor)) throw this.fail(`has a parameter made of ${describeKind(data ?? null)}`);
    this.countTensor();
    return this.#withGradient(data.body, requiresGrad);
  }

  /** A tensor with Python attributes; the attributes are left out. */
  fromType(args: readonly PickleValue[]): PickleValue {
    const [callable, type, inner] = args;
    const plain =
      type instanceof PickleGlobal && (CLASSES.has(type.name) || type.name === 'torch.nn.parameter.Parameter');
    if (
      !(callable instanceof PickleGlobal) ||
      !callable.name.startsWith('torch._utils._rebuild_') ||
      !plain ||
      !(inner instanceof PickleTuple)
    ) {
      throw this.fail('holds a tensor subclass, which Praxis does not read');
    }
    return this.reduce(callable, inner.items);
  }

  /** Tensors of devices without a storage of their own are saved through the CPU. Here they stay there. */
  fromCpu(args: readonly PickleValue[]): PickleTensor {
    const [data, type, , requiresGrad] = args;
    const body = data instanceof PickleTensor ? data.body : null;
    if (body === null || !(type instanceof PickleElementType))
      throw this.fail('has a malformed tensor of another device');
    if (elementTypeOf(body) !== type.type)
      throw this.fail('has a tensor of another device that changes its dtype on loading');
    this.countTensor();
    return this.#withGradient(body, requiresGrad);
  }

  #withGradient(body: PickleTensor['body'], wanted: PickleValue | undefined): PickleTensor {
    const requiresGrad = flag(wanted, 'requires_grad', this.fail);
    const type = elementTypeOf(body)?.name ?? '';
    if (requiresGrad && !/float|complex/.test(type))
      throw this.fail(`has an ${type} tensor that requires a gradient, which only real and complex numbers can`);
    return new PickleTensor(body, requiresGrad);
  }

  countTensor(): void {
    if (++this.#tensors > LIMITS.tensors) throw this.fail(`has more than ${LIMITS.tensors} tensors`);
  }

  /** Counts what a call copies: a small stream could otherwise have one large list copied again and again. */
  #charge(items: number): void {
    this.#copied += items;
    if (this.#copied > LIMITS.pickleCopies)
      throw this.fail('copies its own contents too often; this is refused as a memory trap');
  }

  #items(value: PickleValue, what: string): readonly PickleValue[] {
    if (value instanceof PickleList || value instanceof PickleTuple || value instanceof PickleSet) {
      this.#charge(value.items.length);
      return value.items;
    }
    throw this.fail(`makes ${what} of ${describeKind(value)}`);
  }
}

function elementTypeOf(body: PickleTensor['body']): ElementType | null {
  if (body.kind === 'dense') return body.type;
  return body.values.body.kind === 'dense' ? body.values.body.type : null;
}
