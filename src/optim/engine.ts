/** Operators on whole lists of tensors, called with as little between TypeScript and the engine as there can be. */
import { MissingOperatorError } from '../torch/errors.js';
import { attempt } from '../torch/failure.js';
import { native } from '../torch/load.js';
import { keep } from '../torch/memory.js';
import type { Handle, NativeValue } from '../torch/native.js';
import { parseSchema } from '../torch/schema.js';
import { Tensor } from '../torch/tensor.js';
import { packIntegers, resetScratch } from '../torch/values.js';

/** One overload of an operator, found when it is first used. Lists of tensors are given as arrays of handles. */
export class ListOperator {
  #id: number | undefined;
  /** Which arguments are lists of tensors: those travel through the scratch memory. */
  #lists: readonly boolean[] = [];

  constructor(
    readonly name: string,
    readonly overload = '',
  ) {}

  /** Whether the loaded engine has it. That it is there does not mean that it runs on every device. */
  get exists(): boolean {
    return this.#find() >= 0;
  }

  /** Calls it; positional arguments in the schema's order. Tensors come back as handles without owner. */
  call(...args: NativeValue[]): NativeValue {
    const id = this.#find();
    if (id < 0)
      throw new MissingOperatorError(
        `The loaded engine (libtorch ${native.info().torch}) has no operator ${this.name}${this.overload && `.${this.overload}`}.`,
      );
    resetScratch();
    for (let i = 0; i < args.length; i++) if (this.#lists[i]) args[i] = packIntegers(args[i]);
    return attempt(() => native.call(id, null, ...args), this.name, []);
  }

  #find(): number {
    if (this.#id !== undefined) return this.#id;
    const name = `aten::${this.name}`;
    const schema = native
      .schemas(name)
      .map(parseSchema)
      .find((x) => x.overload === this.overload);
    this.#lists = schema?.arguments.map((x) => x.type.list && x.type.base === 'Tensor') ?? [];
    this.#id = schema === undefined ? -1 : native.resolve(name, this.overload);
    return this.#id;
  }
}

const operator = (name: string, overload?: string) => new ListOperator(name, overload);

const addList = operator('_foreach_add_', 'List');
const addScalar = operator('_foreach_add_', 'Scalar');
const addNew = operator('_foreach_add', 'List');
const mulScalar = operator('_foreach_mul_', 'Scalar');
const mulList = operator('_foreach_mul_', 'List');
const divList = operator('_foreach_div_', 'List');
const divScalar = operator('_foreach_div_', 'Scalar');
const addcmul = operator('_foreach_addcmul_', 'Scalar');
const addcmulNew = operator('_foreach_addcmul', 'Scalar');
const addcdiv = operator('_foreach_addcdiv_', 'Scalar');
const lerp = operator('_foreach_lerp_', 'Scalar');
const maximumList = operator('_foreach_maximum_', 'List');
const sqrtNew = operator('_foreach_sqrt');
const sqrtInPlace = operator('_foreach_sqrt_');
const negNew = operator('_foreach_neg');
const signInPlace = operator('_foreach_sign_');
const signOne = operator('sign_');
const copyList = operator('_foreach_copy_');
const copyOne = operator('copy_');
const cloneOne = operator('clone');
const zeroList = operator('_foreach_zero_');
const emptyLike = operator('empty_like');
const zeros = operator('zeros');
const fillOne = operator('fill_', 'Scalar');

type Handles = readonly Handle[];

/**
 * Arithmetic on lists of tensors, in place where the name ends in an underscore. New tensors have no owner: whoever asks for them
 * closes a scope (`withoutTrace`) behind them.
 */
export const foreach = {
  /** `into += alpha · other` */
  add_: (into: Handles, other: Handles, alpha = 1) => void addList.call(into, other, alpha),
  addScalar_: (into: Handles, value: number) => void addScalar.call(into, value),
  /** `a + alpha · b` */
  add: (a: Handles, b: Handles, alpha = 1) => addNew.call(a, b, alpha) as Handle[],
  scale_: (into: Handles, factor: number) => void mulScalar.call(into, factor),
  mul_: (into: Handles, other: Handles) => void mulList.call(into, other),
  div_: (into: Handles, other: Handles) => void divList.call(into, other),
  divScalar_: (into: Handles, value: number) => void divScalar.call(into, value),
  /** `into += value · a · b` */
  addcmul_: (into: Handles, a: Handles, b: Handles, value: number) => void addcmul.call(into, a, b, value),
  /** `x + value · a · b` */
  addcmul: (x: Handles, a: Handles, b: Handles, value: number) => addcmulNew.call(x, a, b, value) as Handle[],
  /** `into += value · a / b` */
  addcdiv_: (into: Handles, a: Handles, b: Handles, value: number) => void addcdiv.call(into, a, b, value),
  maximum_: (into: Handles, other: Handles) => void maximumList.call(into, other),
  sqrt: (x: Handles) => sqrtNew.call(x) as Handle[],
  sqrt_: (x: Handles) => void sqrtInPlace.call(x),
  neg: (x: Handles) => negNew.call(x) as Handle[],
  zero_: (x: Handles) => void zeroList.call(x),
  /** `into += weight · (target − into)`; engines before 2.0 lack it, and there PyTorch's optimisers scaled and added instead. */
  lerp_(into: Handles, target: Handles, weight: number): void {
    if (lerp.exists) lerp.call(into, target, weight);
    else {
      mulScalar.call(into, 1 - weight);
      addList.call(into, target, weight);
    }
  },
  /** Copies, laid out alike. */
  copyOf: (x: Handles) => x.map((handle) => cloneOne.call(handle) as Handle),
  /** A second handle, to wrap in a Tensor. */
  alias: (handle: Handle) => native.alias(handle),
  sign_(x: Handles): void {
    if (signInPlace.exists) signInPlace.call(x);
    else for (const handle of x) signOne.call(handle);
  },
  copy_(into: Handles, from: Handles): void {
    if (copyList.exists) copyList.call(into, from);
    else into.forEach((handle, i) => void copyOne.call(handle, from[i] as Handle));
  },
};

/** A gradient laid out in memory as its parameter: the fused operators walk both in the order of memory. */
export function laidOutAs(gradient: Handle, parameter: Handle): Handle {
  const copy = emptyLike.call(parameter) as Handle;
  copyOne.call(copy, gradient);
  return copy;
}

/**
 * Runs `work` without recording gradients, and frees every tensor it leaves behind that nobody owns or keeps: the gradients looked
 * at and the intermediate results. Tensors that are to live on (optimiser state) must be made outside.
 */
export function withoutTrace<T>(work: () => T): T {
  const before = native.setGradEnabled(false);
  const mark = native.scopeMark();
  try {
    return work();
  } finally {
    native.scopeClose(mark, []);
    native.setGradEnabled(before);
  }
}

let canSetThreads: boolean | undefined;

/** Runs `work` on one thread, where the engine's pool allows changing that at any time. */
export function onOneThread(work: () => void): void {
  canSetThreads ??= native.info().hasOpenMp;
  const threads = canSetThreads ? native.numThreads() : 1;
  if (threads > 1) native.setNumThreads(1);
  try {
    work();
  } finally {
    if (threads > 1) native.setNumThreads(threads);
  }
}

/** Runs `work` without recording gradients. */
export function withoutGradients<T>(work: () => T): T {
  const before = native.setGradEnabled(false);
  try {
    return work();
  } finally {
    native.setGradEnabled(before);
  }
}

/** A tensor without dimensions that outlives every scope, for a number that an operator wants as a tensor. */
export function scalarTensor(device: string): Tensor {
  return keep(new Tensor(zeros.call([], null, null, device) as Handle));
}

export const fill_ = (handle: Handle, value: number) => void fillOne.call(handle, value);

/** A tensor with one zero, for trying an operator. */
export function tinyTensor(device: string): Handle {
  return zeros.call([1], null, null, device) as Handle;
}

const probes = new Map<string, boolean>();

/** Whether something works on a device in this engine: tried once on tiny tensors, since the schema alone does not tell. */
export function worksOn(feature: string, device: string, attemptOn: (device: string) => void): boolean {
  const type = device.split(':')[0] as string;
  const key = `${feature} ${type}`;
  let works = probes.get(key);
  if (works === undefined) {
    try {
      withoutTrace(() => attemptOn(device));
      works = true;
    } catch {
      works = false;
    }
    probes.set(key, works);
  }
  return works;
}
