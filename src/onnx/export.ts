/** A network as an ONNX file: runs it twice, notes the operators, writes their ONNX forms. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AnyModule } from '../nn/module.js';
import { packageRoot } from '../torch/engine.js';
import { type Tensor, torch } from '../torch/index.js';
import type { Handle } from '../torch/native.js';
import { type Trace, type TracedTensor, TraceError, traceOperators } from '../torch/trace.js';
import { writeFileAtomic } from '../track/atomic.js';
import { isGrowing } from './dimension.js';
import { OnnxError } from './errors.js';
import { Graph } from './graph.js';
import { Lowering, outputsOf } from './lower.js';
import { encodeModel, type NamedDimension } from './proto.js';
import { pruned, renamed } from './tidy.js';

export interface OnnxOptions {
  /** Names of the inputs. Default `input`, or `input0`, `input1`, … */
  readonly inputNames?: readonly string[];
  /** Names of the outputs. Default `output`, or `output0`, `output1`, … */
  readonly outputNames?: readonly string[];
  /** Version of ONNX's operators, 14 to 22. Default 17: runtimes since the end of 2022 have it. */
  readonly opset?: number;
  /** Whether the first dimension of all inputs and outputs is left open. Default true. */
  readonly dynamicBatch?: boolean;
  /** Words that travel with the model; runtimes hand them out. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default the class of the network. */
  readonly name?: string;
  readonly description?: string;
}

const opsets = { least: 14, most: 22, usual: 17 } as const;

/** A batch of another size with the same kind of numbers. */
function ofBatch(input: Tensor, size: number): Tensor {
  const copies = Math.ceil(size / (input.shape[0] as number));
  return torch.cat(new Array<Tensor>(copies).fill(input)).narrow(0, 0, size).clone();
}

interface Run {
  readonly trace: Trace<unknown>;
  readonly outputs: readonly TracedTensor[];
}

/** Runs the network and notes where each operator stands. */
function run(model: AnyModule, inputs: readonly Tensor[]): Run {
  const places: string[] = [];
  const hooks = model
    .namedModules()
    .flatMap(([name, module]) => [
      module.registerForwardPreHook(() => void places.push(name)),
      module.registerForwardHook(() => void places.pop()),
    ]);
  try {
    const trace = traceOperators(
      inputs,
      () => torch.noGrad(() => model.call(...inputs)),
      () => places.at(-1) ?? '',
    );
    return { trace, outputs: outputsOf(trace.result).map((tensor) => trace.of(tensor)) };
  } catch (error) {
    if (error instanceof TraceError)
      throw new OnnxError(`The network cannot be written as ONNX: ${error.message}`, { cause: error });
    throw error;
  } finally {
    for (const hook of hooks) hook.remove();
  }
}

/** ` in 'layer1.0' (Bottleneck)`, for messages. */
function describer(model: AnyModule): (place: string) => string {
  const modules = new Map(model.namedModules());
  return (place) => {
    const type = modules.get(place)?.constructor.name ?? '';
    return place === '' ? ` in ${type === '' ? model.constructor.name : type}` : ` in '${place}' (${type})`;
  };
}

const version = (): string =>
  (JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;

const defaultNames = (word: string, count: number): string[] =>
  count === 1 ? [word] : Array.from({ length: count }, (_, i) => `${word}${i}`);

function check(model: AnyModule, inputs: readonly Tensor[], options: OnnxOptions): void {
  const { opset = opsets.usual } = options;
  if (!Number.isInteger(opset) || opset < opsets.least || opset > opsets.most)
    throw new OnnxError(`opset must be a whole number from ${opsets.least} to ${opsets.most}, got ${String(opset)}.`);
  if (inputs.length === 0) throw new OnnxError('An example of each input is needed, to see what the network does.');
  for (const input of inputs)
    if (!(input instanceof torch.Tensor) || input.ndim === 0 || input.shape[0] === 0)
      throw new OnnxError('Each example input must be a tensor [N, …] with at least one sample.');
  if (options.inputNames !== undefined && options.inputNames.length !== inputs.length)
    throw new OnnxError(`There are ${inputs.length} inputs and ${options.inputNames.length} inputNames.`);
  const training = model
    .namedModules()
    .find(([, module]) => module.training && changesInTraining.has(module.constructor.name));
  if (training !== undefined)
    throw new OnnxError(
      `'${training[0]}' (${training[1].constructor.name}) is in training mode, in which it computes something else; call model.eval() first.`,
    );
}

/** Layers that compute something else while training. */
const changesInTraining: ReadonlySet<string> = new Set([
  ...['BatchNorm1d', 'BatchNorm2d', 'BatchNorm3d'],
  ...['Dropout', 'Dropout1d', 'Dropout2d', 'Dropout3d', 'AlphaDropout', 'FeatureAlphaDropout', 'StochasticDepth'],
]);

/**
 * The bytes of an ONNX file that computes what a network computes, with the first dimension open.
 *
 * The network is run with examples and the operators that it calls are written down, so that any module can be exported, your own included,
 * as long as its operators have an ONNX form here and it does the same for every input: branches on numbers of tensors cannot be seen.
 *
 * @param model in eval mode, on the CPU
 * @param inputs one example each, [N, …] of any numbers; all dimensions but the first are then settled
 * @throws OnnxError naming the operator and the module that cannot be exported
 */
export function toOnnx(model: AnyModule, inputs: Tensor | readonly Tensor[], options: OnnxOptions = {}): Uint8Array {
  const given = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [inputs as Tensor];
  check(model, given, options);
  const { opset = opsets.usual, dynamicBatch = true } = options;
  return torch.scope(() => {
    const batches = dynamicBatch
      ? ([2, 3] as const)
      : ([given[0]?.shape[0] as number, (given[0]?.shape[0] as number) + 1] as const);
    const examples = batches.map((size) => given.map((input) => (dynamicBatch ? ofBatch(input, size) : input))) as [
      Tensor[],
      Tensor[],
    ];
    const runs = examples.map((example) => run(model, example)) as [Run, Run];
    const inputNames = options.inputNames ?? defaultNames('input', given.length);
    const graph = new Graph(opset, inputNames[0] as string);
    for (const name of inputNames) graph.unique(name);
    const names = new Map<Handle, string>(
      [...model.namedParameters(), ...model.namedBuffers()].map(([name, tensor]) => [tensor.handle, name]),
    );
    const lowering = new Lowering(graph, {
      traces: [runs[0].trace, runs[1].trace],
      batches,
      inputs: inputNames.map((name, i) => ({
        name,
        shapes: [examples[0][i]?.shape ?? [], examples[1][i]?.shape ?? []] as const,
      })),
      nameOf: ({ handle }) => names.get(handle),
      describePlace: describer(model),
    });
    lowering.run(runs[0].outputs);
    const outputs = runs[0].outputs.map((traced) => lowering.operandOf(traced));
    const outputNames = options.outputNames ?? defaultNames('output', outputs.length);
    if (outputNames.length !== outputs.length)
      throw new OnnxError(
        `The network gives ${outputs.length} tensors, and there are ${outputNames.length} outputNames.`,
      );
    const { nodes, initializers } = pruned(
      renamed(graph, new Map(outputNames.map((name, i) => [name, (outputs[i] as { name: string }).name]))),
      outputNames,
    );
    const open = (shape: readonly unknown[]): NamedDimension[] =>
      shape.map((size, d) =>
        typeof size === 'number' ? size : d === 0 && isGrowing(size as never) ? 'batch' : `size${d}`,
      );
    return encodeModel({
      opset,
      producerVersion: version(),
      name: options.name ?? model.constructor.name,
      description: options.description ?? '',
      inputs: given.map((input, i) => ({
        name: inputNames[i] as string,
        dtype: input.dtype,
        shape: dynamicBatch ? ['batch', ...input.shape.slice(1)] : input.shape,
      })),
      outputs: outputs.map(({ dtype, shape }, i) => ({ name: outputNames[i] as string, dtype, shape: open(shape) })),
      initializers,
      nodes,
      metadata: options.metadata ?? {},
    });
  });
}

/**
 * Writes a network as an `.onnx` file, whole or not at all. See `toOnnx`.
 * @throws OnnxError; FileWriteError when the file cannot be written
 */
export async function exportOnnx(
  model: AnyModule,
  inputs: Tensor | readonly Tensor[],
  file: string,
  options: OnnxOptions = {},
): Promise<void> {
  await writeFileAtomic(file, toOnnx(model, inputs, options));
}
