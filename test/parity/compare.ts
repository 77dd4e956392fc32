/** Makes a call in TypeScript and holds what comes out against Python's answer. */
import type { DType } from '../../src/torch/dtype.js';
import { Generator, Tensor, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import type { AnswerFile, AnswerTensor, AnswerValue, Call, CallAnswer, CallArgument } from './calls.js';
import { type Form, formsOf } from './forms.js';
import { equalBytes, nearBytes } from './nearness.js';

/** How close numbers must be: `exact` for the same library on the same machine, `near` for any other. */
export type Closeness = 'exact' | 'near';

/** A call's tensors, made anew for each form, because operators may change them. */
export class Inputs {
  readonly leaves: Tensor[];
  private readonly cloneFirst: boolean;

  constructor(
    private readonly call: Call,
    gradient: boolean,
  ) {
    this.cloneFirst = call.operator.endsWith('_');
    this.leaves = call.inputs.map(({ dtype, shape, bytes }, i) => {
      const leaf = torch.fromBuffer(bytes.length > 0 ? bytes : new Uint8Array(0), { dtype, shape });
      return gradient && call.gradients[i] === true ? leaf.requiresGrad_(true) : leaf;
    });
  }

  argument(value: CallArgument): unknown {
    if (Array.isArray(value)) return value.map((x) => this.argument(x));
    if (typeof value !== 'object' || value === null) return value;
    if ('t' in value) {
      const leaf = this.leaves[value.t]!;
      const made =
        value.layout === 'transposed'
          ? leaf.transpose(-2, -1)
          : value.layout === 'stepped'
            ? (torch.ops.aten.slice(leaf, -1, 0, null, 2) as Tensor)
            : leaf;
      return this.cloneFirst && (made.requiresGrad || made !== leaf) ? made.clone() : made;
    }
    if ('float' in value)
      return typeof value.float === 'string' ? Number(value.float.replace('inf', 'Infinity')) : value;
    if ('dtype' in value) return value.dtype;
    if ('memoryFormat' in value) return value.memoryFormat;
    if ('generator' in value) return new Generator().manualSeed(value.generator);
    return value;
  }

  args(): unknown[] {
    return this.call.args.map((x) => this.argument(x));
  }

  options(): Record<string, unknown> | null {
    const entries = Object.entries(this.call.options);
    return entries.length === 0
      ? null
      : Object.fromEntries(entries.map(([name, value]) => [name, this.argument(value)]));
  }
}

/** A gradient for an output, in multiples of an eighth: the same bits as Python makes. */
export function cotangent(output: Tensor, k: number): Tensor {
  const values = Float64Array.from({ length: output.numel() }, (_, i) => (((i * 7 + 3 * k) % 11) - 5) / 8);
  const numbers = torch.tensor(values).reshape(output.shape).to(output.dtype);
  return output.dtype.startsWith('complex') ? numbers.mul({ re: 1, im: 0.5 }) : numbers;
}

export function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

function bytesOf(tensor: Tensor): Uint8Array {
  const plain = tensor.detach().resolveConj().resolveNeg();
  const bytes = new Uint8Array(native.read(plain.handle));
  // Held until here: a handle alone keeps nothing from the collector.
  plain.dispose();
  return bytes;
}

const list = (values: readonly number[]): string => `[${values.join(', ')}]`;

/** Compares results with one answer file. */
export class Comparison {
  /** Operator names for which at least one call gave the same numbers. */
  readonly compared = new Set<string>();
  /** The same with gradients. */
  readonly differentiated = new Set<string>();
  /** Names for which tensors to write to could be given. */
  readonly outForms = new Set<string>();
  readonly problems: string[] = [];
  /** Number of results compared, of every call in every form. */
  results = 0;
  /** Why the call at hand does not give the same bits every time. */
  private noise: string | undefined;

  constructor(
    private readonly answers: AnswerFile,
    private readonly closeness: Closeness,
  ) {}

  /** Holds every form of a call against its answer. */
  check(call: Call, answer: CallAnswer): void {
    this.noise = call.case.settings.noise;
    const inputs = new Inputs(call, false);
    const forms = formsOf(call.operator, inputs.args());
    // One form will do where Python refuses: 1.13 takes 10 ms for every error.
    const all = call.case.settings.form === 'ops' ? forms.slice(-1) : forms;
    const chosen = answer.error === undefined ? all : all.slice(0, 1);
    for (const [i, form] of chosen.entries()) {
      const before = this.problems.length;
      this.checkForm(call, answer, form, i === 0 && call.gradient);
      for (let p = before; p < this.problems.length; p++)
        this.problems[p] = `${call.label}, ${form.title}: ${this.problems[p]}`;
    }
    if (answer.error !== undefined) return;
    this.compared.add(call.operator);
    const asFunction = chosen.find((form) => form.generated && !form.title.startsWith('x.'));
    if (call.main && asFunction !== undefined && answer.value !== undefined)
      this.checkOut(call, answer.value, asFunction);
  }

  private checkForm(call: Call, answer: CallAnswer, form: Form, gradient: boolean): void {
    const inputs = new Inputs(call, call.gradient);
    let value: unknown;
    try {
      const args = inputs.args();
      const options = inputs.options();
      if (call.case.settings.seed !== undefined) torch.manualSeed(seedOf(call.case.settings.seed));
      value = form.call(args, options);
      if (changesLists(call.operator)) value = args;
      if (call.operator.endsWith('_') && value instanceof Tensor && tensorsIn(args).every((x) => x !== value))
        this.problems.push('the result is another object than the tensor that was changed');
    } catch (error) {
      const lacking = this.closeness === 'near' && firstLine(error).includes('has no kernel');
      if (answer.error === undefined && !lacking)
        this.problems.push(`fails where Python does not: ${firstLine(error)}`);
      return;
    }
    if (answer.error !== undefined) {
      this.problems.push(`works where Python says: ${answer.error}`);
      return;
    }
    this.same(value, answer.value as AnswerValue, 'result');
    if (answer.state !== undefined && this.closeness === 'exact')
      this.sameTensor(torch.getRngState(), answer.state, 'random state afterwards');
    this.results++;
    if (gradient) this.checkGradients(call, inputs.leaves, value, answer);
  }

  /** The same numbers must come out when tensors to write them to are given, where the operator has such a form. */
  private checkOut(call: Call, expected: AnswerValue, form: Form): void {
    const parts = Array.isArray(expected) ? (expected as readonly AnswerValue[]) : [expected];
    if (
      call.operator.endsWith('_') ||
      wrongOut.has(call.operator) ||
      parts.length === 0 ||
      !parts.every(isTensorAnswer)
    )
      return;
    const out = parts.map(({ tensor }) => torch.empty(tensor.shape, { dtype: tensor.dtype as DType }));
    const inputs = new Inputs(call, false);
    let value: unknown;
    try {
      const options = { ...inputs.options(), out: Array.isArray(expected) ? out : out[0] };
      if (call.case.settings.seed !== undefined) torch.manualSeed(seedOf(call.case.settings.seed));
      value = form.call(inputs.args(), options);
    } catch (error) {
      // Most operators have such a form, but not all, and not for all their overloads.
      if (!/fits no form|has no kernel/.test(firstLine(error)))
        this.problems.push(`${call.label}, out: ${firstLine(error)}`);
      return;
    }
    const before = this.problems.length;
    // A decomposition may skip what is not asked for, by another path to the same numbers.
    this.noise ??= 'another algorithm';
    const results = tensorsIn(value);
    for (const [i, { tensor }] of parts.entries()) {
      if (results[i] !== out[i]) this.problems.push('what comes out is not the tensor that was given');
      else this.sameTensor(out[i]!, tensor, `out ${i}`, false);
    }
    for (let p = before; p < this.problems.length; p++)
      this.problems[p] = `${call.label}, ${form.title} out: ${this.problems[p]}`;
    this.outForms.add(call.operator);
  }

  private checkGradients(call: Call, leaves: readonly Tensor[], value: unknown, answer: CallAnswer): void {
    const wanted = leaves.filter((_, i) => call.gradients[i]);
    const outputs = tensorsIn(value).filter((x) => x.requiresGrad);
    if (wanted.length === 0 || outputs.length === 0) {
      if (answer.gradients !== undefined) this.problems.push('has no gradient where Python has one');
      return;
    }
    let gradients: (Tensor | null)[];
    try {
      gradients = torch.autograd.grad(outputs, wanted, {
        gradOutputs: outputs.map(cotangent),
        allowUnused: true,
      });
    } catch (error) {
      // The engine that gave the stored answers has more derivatives than older ones.
      const lacking = this.closeness === 'near' && firstLine(error).includes('not implemented');
      if (answer.gradientError === undefined && !lacking) this.problems.push(`gradient fails: ${firstLine(error)}`);
      return;
    }
    if (answer.gradients === undefined) {
      this.problems.push(`has a gradient where Python says: ${answer.gradientError ?? 'none'}`);
      return;
    }
    for (const [i, gradient] of gradients.entries()) {
      const expected = answer.gradients[i] ?? null;
      if (gradient === null || expected === null) {
        if (gradient !== expected) this.problems.push(`gradient ${i} is ${gradient === null ? '' : 'not '}null`);
      } else this.sameTensor(gradient, expected, `gradient ${i}`);
    }
    this.differentiated.add(call.operator);
  }

  private same(value: unknown, expected: AnswerValue, what: string): void {
    if (Array.isArray(expected)) {
      if (!Array.isArray(value) || value.length !== expected.length)
        this.problems.push(`${what}: expected ${expected.length} values`);
      else for (const [i, part] of expected.entries()) this.same(value[i], part, `${what} ${i}`);
    } else if (typeof expected === 'object' && expected !== null && 'tensor' in expected) {
      if (value instanceof Tensor) this.sameTensor(value, expected.tensor, what);
      else if (value !== null || expected.tensor.length > 0) this.problems.push(`${what}: expected a tensor`);
    } else if (typeof expected === 'object' && expected !== null && 'float' in expected) {
      const number = Number(expected.float.replace('inf', 'Infinity'));
      if (!Object.is(value, number)) this.problems.push(`${what}: ${String(value)} is not ${expected.float}`);
    } else if (typeof expected === 'object' && expected !== null && 'dtype' in expected) {
      if (value !== expected.dtype) this.problems.push(`${what}: ${String(value)} is not ${expected.dtype}`);
    } else if (value !== expected && JSON.stringify(value) !== JSON.stringify(expected)) {
      this.problems.push(`${what}: ${JSON.stringify(value)} is not ${JSON.stringify(expected)}`);
    }
  }

  private sameTensor(tensor: Tensor, expected: AnswerTensor, what: string, structure = true): void {
    if (tensor.dtype !== expected.dtype) {
      this.problems.push(`${what}: ${tensor.dtype} instead of ${expected.dtype}`);
      return;
    }
    if (list(tensor.shape) !== list(expected.shape)) {
      this.problems.push(`${what}: shape ${list(tensor.shape)} instead of ${list(expected.shape)}`);
      return;
    }
    if (structure && this.closeness === 'exact') {
      if (list(tensor.stride()) !== list(expected.strides))
        this.problems.push(`${what}: strides ${list(tensor.stride())} instead of ${list(expected.strides)}`);
      const name = tensor.gradFn?.name ?? null;
      if (nodeKind(name) !== nodeKind(expected.gradFn))
        this.problems.push(`${what}: made by ${name} instead of ${expected.gradFn}`);
    }
    const closeness = this.noise === undefined ? this.closeness : 'near';
    const wanted = this.answers.bytes.subarray(expected.offset, expected.offset + expected.length);
    const got = bytesOf(tensor);
    const difference =
      closeness === 'exact' ? equalBytes(got, wanted, tensor.dtype) : nearBytes(got, wanted, tensor.dtype);
    if (difference !== null) this.problems.push(`${what}: ${difference}`);
  }
}

const seedOf = (seed: number | string): number | bigint => (typeof seed === 'string' ? BigInt(seed) : seed);

/** Where the engine itself, in Python too, averages over numbers that it has overwritten. */
const wrongOut: ReadonlySet<string> = new Set(['binary_cross_entropy']);

const isTensorAnswer = (value: AnswerValue): value is { tensor: AnswerTensor } =>
  typeof value === 'object' && value !== null && 'tensor' in value;

/** `_foreach_add_`, `_fused_adamw_`: nothing comes out, the lists that went in are changed. */
const changesLists = (operator: string): boolean => operator.startsWith('_') && operator.endsWith('_');

/** Arithmetic with a number has a node of its own or the one for tensors, by the way that the number was passed. */
const nodeKind = (name: string | null): string | undefined => name?.replace(/^(Add|Sub|Mul|Div)Backward[01]$/, '$1');

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
