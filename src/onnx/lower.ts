/**
 * From traces to a graph. The network was run twice, with batches of different sizes: whatever differs between the two grows with the
 * batch. What does not depend on the input is computed here and now, and becomes a constant.
 */
import { type Tensor, torch } from '../torch/index.js';
import type { Trace, TracedArgument, TracedCall, TracedTensor } from '../torch/trace.js';
import { isTraced } from '../torch/trace.js';
import { dimensionOf } from './dimension.js';
import { dataOf, Emission, type Operand } from './emission.js';
import { OnnxError } from './errors.js';
import type { Graph } from './graph.js';
import { emitters } from './operators/index.js';

export interface LowerOptions {
  readonly traces: readonly [Trace<unknown>, Trace<unknown>];
  /** Sizes of the batches. */
  readonly batches: readonly [number, number];
  /** The inputs: their names, and their shapes in the two traces. */
  readonly inputs: readonly {
    readonly name: string;
    readonly shapes: readonly [readonly number[], readonly number[]];
  }[];
  /** What a weight is called; undefined for other tensors. */
  readonly nameOf: (traced: TracedTensor) => string | undefined;
  /** ` in 'layer1.0' (Bottleneck)`. */
  readonly describePlace: (place: string) => string;
}

const keyOf = ({ origin }: TracedTensor): string =>
  origin.kind === 'call' ? `${origin.call}.${origin.output}` : `${origin.kind} ${origin.index}`;

/** Operator of a call without namespace, and as its plain form where it writes in place. */
const operatorOf = ({ schema }: TracedCall): string => {
  const name = schema.name.replace('aten::', '');
  return name.endsWith('_') && !name.endsWith('__') ? name.slice(0, -1) : name;
};

function tensorsIn(argument: TracedArgument): TracedTensor[] {
  if (Array.isArray(argument)) return (argument as readonly TracedArgument[]).flatMap(tensorsIn);
  return isTraced(argument) ? [argument] : [];
}

const plainArguments = (call: TracedCall): string =>
  JSON.stringify(call.args, (_, value: unknown) =>
    typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
      ? String(value)
      : typeof value === 'object' && value !== null && 'origin' in value
        ? keyOf(value as TracedTensor)
        : value,
  );

/** Element by element the same; NaN equals NaN. */
function equal(a: Tensor, b: Tensor): boolean {
  if (a.shape.join() !== b.shape.join() || a.dtype !== b.dtype) return false;
  const [x, y] = [dataOf(a).bytes, dataOf(b).bytes];
  return Buffer.compare(x, y) === 0;
}

export class Lowering {
  readonly #operands = new Map<string, Operand>();
  readonly #constant = new Map<string, boolean>();
  readonly #emitted = new Set<number>();

  constructor(
    readonly graph: Graph,
    readonly options: LowerOptions,
  ) {
    const [a, b] = options.traces;
    const length = Math.min(a.calls.length, b.calls.length);
    for (let i = 0; i <= length; i++) {
      const [one, other] = [a.calls[i], b.calls[i]];
      if (one === undefined && other === undefined) break;
      if (one !== undefined && other !== undefined && one.schema === other.schema) continue;
      const place = options.describePlace((one ?? other)?.place ?? '');
      throw new OnnxError(
        `The network computes differently for ${options.batches[0]} and for ${options.batches[1]} samples (from ${(one ?? other)?.schema.name.replace('aten::', '')}${place} on), so that one graph cannot say it; decide by tensors, not by the number of samples.`,
      );
    }
  }

  /** Emits the calls that the outputs need, in the order in which they were made. */
  run(outputs: readonly TracedTensor[]): void {
    const { calls } = this.options.traces[0];
    const needed = new Set<number>();
    const waiting = [...outputs];
    for (let traced = waiting.pop(); traced !== undefined; traced = waiting.pop()) {
      const { origin } = traced;
      if (origin.kind !== 'call' || needed.has(origin.call) || this.#isConstant(traced)) continue;
      needed.add(origin.call);
      waiting.push(...(calls[origin.call] as TracedCall).args.flatMap(tensorsIn));
    }
    for (const i of [...needed].sort((a, b) => a - b)) this.#emit(i);
  }

  #twin(traced: TracedTensor): TracedTensor | undefined {
    const [, other] = this.options.traces;
    const { origin } = traced;
    if (origin.kind === 'call') return other.calls[origin.call]?.results[origin.output];
    return origin.kind === 'leaf' ? other.leaves[origin.index] : undefined;
  }

  /** Whether a tensor is the same whatever the input. */
  #isConstant(traced: TracedTensor): boolean {
    const key = keyOf(traced);
    let known = this.#constant.get(key);
    if (known === undefined) {
      known = this.#findConstant(traced);
      this.#constant.set(key, known);
    }
    return known;
  }

  #findConstant(traced: TracedTensor): boolean {
    const twin = this.#twin(traced);
    if (traced.fromInput || twin === undefined || traced.tensor === null || twin.tensor === null) return false;
    if (traced.origin.kind !== 'call') {
      // A weight is one tensor in both runs.
      if (traced.handle === twin.handle || equal(traced.tensor, twin.tensor)) return true;
      throw new OnnxError(
        `The network makes a tensor of shape [${traced.shape.join(', ')}] anew in each run that is not the same each time; make it once, as a buffer, or of the input.`,
      );
    }
    const [one, other] = this.options.traces.map((trace) => trace.calls[(traced.origin as { call: number }).call]) as [
      TracedCall,
      TracedCall,
    ];
    if (plainArguments(one) !== plainArguments(other)) return false;
    if (!one.args.flatMap(tensorsIn).every((input) => this.#isConstant(input))) return false;
    if (equal(traced.tensor, twin.tensor)) return true;
    throw new OnnxError(
      `${one.schema.name.replace('aten::', '')}${this.options.describePlace(one.place)} gives other numbers each time, so that it cannot be part of a graph; put the network in eval mode, or draw the numbers once, as a buffer.`,
    );
  }

  operandOf(traced: TracedTensor): Operand {
    const key = keyOf(traced);
    const known = this.#operands.get(key);
    if (known !== undefined) return known;
    if (this.#isConstant(traced)) {
      const operand = this.#constantOperand(traced, traced.tensor as Tensor);
      this.#operands.set(key, operand);
      return operand;
    }
    if (traced.origin.kind === 'input') {
      const { name, shapes } = this.options.inputs[traced.origin.index] as LowerOptions['inputs'][number];
      const shape = shapes[0].map((size, d) => dimensionOf(size, shapes[1][d] ?? size, ...this.options.batches));
      const operand = { name, shape, dtype: traced.dtype, constant: null, label: name };
      this.#operands.set(key, operand);
      return operand;
    }
    if (traced.origin.kind === 'call') this.#emit(traced.origin.call);
    const made = this.#operands.get(key);
    if (made === undefined) throw new OnnxError(`A tensor of shape [${traced.shape.join(', ')}] comes from nowhere.`);
    return made;
  }

  #constantOperand(traced: TracedTensor, tensor: Tensor): Operand {
    const { graph } = this;
    const label = this.options.nameOf(traced) ?? 'constant';
    let name: string | null = null;
    return {
      // Comes with the graph when something takes it as it is, and not what was made of it.
      get name() {
        name ??= graph.initializer(label, dataOf(tensor));
        return name;
      },
      shape: tensor.shape,
      dtype: tensor.dtype,
      constant: tensor,
      label,
    };
  }

  #emit(index: number): void {
    if (this.#emitted.has(index)) return;
    this.#emitted.add(index);
    const [one, other] = this.options.traces.map((trace) => trace.calls[index]) as [TracedCall, TracedCall];
    const name = operatorOf(one);
    const where = this.options.describePlace(one.place);
    const emitter = emitters[name];
    if (emitter === undefined)
      throw new OnnxError(
        `The operator ${name}${where} has no ONNX form here; compute it of others, or export to safetensors or pt.`,
      );
    const { place } = this.graph;
    this.graph.place = one.place;
    const emission = new Emission(
      { graph: this.graph, batches: this.options.batches, where, operandOf: (traced) => this.operandOf(traced) },
      one.schema,
      one.args,
      other.args,
      [one.results, other.results],
    );
    const names = [emitter(emission)].flat();
    this.graph.place = place;
    for (const [output, result] of one.results.entries()) {
      const outputName = names[output];
      if (outputName === undefined) continue;
      const facts = emission.results[output] as Emission['results'][number];
      this.#operands.set(keyOf(result), { name: outputName, ...facts, constant: null, label: outputName });
    }
  }
}

/** The tensors a network gave back, flat. @throws OnnxError for anything else */
export function outputsOf(result: unknown): Tensor[] {
  if (result instanceof torch.Tensor) return [result];
  if (Array.isArray(result) && result.every((one) => one instanceof torch.Tensor)) return result as Tensor[];
  throw new OnnxError(
    'The network gives back something other than a tensor or an array of tensors; wrap it in a module that gives these.',
  );
}
