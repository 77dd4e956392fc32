/** What a model costs: parameters, multiply-adds, memory, layer by layer, from a forward pass that computes nothing. */
import * as nn from '../nn/index.js';
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import { requireWholes } from './options.js';
import { Attention } from './vision-transformer.js';

/** One layer of a model. */
export interface LayerDescription {
  /** Dotted name, as in the state dict. */
  readonly name: string;
  /** Its class: `Conv2d`. */
  readonly kind: string;
  /** Shape of its output for one sample; [] where that is no tensor. */
  readonly output: readonly number[];
  /** Numbers it learns or keeps fixed (without what the layers inside it hold). */
  readonly parameters: number;
  /** Multiplications with an addition each, for one sample (without those of the layers inside it). */
  readonly multiplyAdds: number;
}

/** What a model costs, for one sample. */
export interface ModelDescription {
  /** Numbers in all parameters, each counted once. */
  readonly parameters: number;
  /** Of these, those that are learnt. */
  readonly trainable: number;
  /** Bytes of parameters and buffers. */
  readonly parameterBytes: number;
  /** Multiplications with an addition each in one forward pass: the figure papers call FLOPs or MACs. */
  readonly multiplyAdds: number;
  /** Floating-point operations: twice as many. */
  readonly flops: number;
  /** What was counted, by class of layer; elementwise work (activations, normalisation, pooling, sums) is not. */
  readonly counted: Readonly<Record<string, number>>;
  /** Classes of layers with parameters of their own whose work is unknown, and therefore missing from the count. */
  readonly uncounted: readonly string[];
  /** Bytes of what layers take and give: about what training keeps of one sample for its backward pass. */
  readonly activationBytes: number;
  /** Layers in the order in which the sample reaches them. */
  readonly layers: readonly LayerDescription[];
}

const product = (numbers: readonly number[]): number => numbers.reduce((all, next) => all * next, 1);

/** Layers that do elementwise work only; what that costs is not counted. */
const elementwise = [nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.PReLU, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d];
/** Layers that look up and compute nothing. */
const lookUps = [nn.Embedding, nn.EmbeddingBag];
const transposed = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d];

const isOneOf = (module: nn.AnyModule, kinds: readonly (abstract new (...args: never[]) => unknown)[]): boolean =>
  kinds.some((kind) => module instanceof kind);

/** Multiply-adds of a layer itself; null for one that is not known. */
function multiplyAddsOf(module: nn.AnyModule, inputs: readonly unknown[], output: unknown): number | null {
  const [input] = inputs;
  const first = Array.isArray(output) ? (output as unknown[])[0] : output;
  if (!(input instanceof Tensor && first instanceof Tensor)) return null;
  if (isOneOf(module, transposed)) {
    const layer = module as nn.ConvTranspose2d;
    return (input.numel() / layer.inChannels) * layer.weight.numel();
  }
  if (module instanceof nn.Convolution) return (first.numel() / module.outChannels) * module.weight.numel();
  if (module instanceof nn.Linear) return first.numel() * module.inFeatures;
  if (module instanceof nn.Bilinear) return first.numel() * module.in1Features * (module.in2Features + 1);
  // Scores, and the mean of the values they weigh.
  if (module instanceof Attention) return 2 * product(input.shape) * input.size(1);
  if (module instanceof nn.MultiheadAttention) {
    const key = inputs[1] instanceof Tensor ? inputs[1] : input;
    const samples = input.dim() === 3 ? input.size(module.batchFirst ? 0 : 1) : 1;
    const keys = key.numel() / key.size(-1);
    const projections = input.numel() * 2 * module.embedDim + 2 * key.numel() * module.embedDim;
    return projections + (2 * input.numel() * keys) / samples;
  }
  if (module instanceof nn.LSTM || module instanceof nn.GRU || module instanceof nn.RNN) {
    const steps = input.numel() / input.size(-1);
    const weights = module.parameters().filter((parameter) => parameter.dim() === 2);
    return steps * weights.reduce((sum, weight) => sum + weight.numel(), 0);
  }
  return module.ownParameters().length === 0 || isOneOf(module, [...elementwise, ...lookUps]) ? 0 : null;
}

/** Collects what a forward pass does. */
class Watch {
  readonly rows = new Map<nn.AnyModule, LayerDescription>();
  readonly unknown = new Set<string>();
  /** What training keeps; each tensor once. */
  private readonly kept = new Set<Tensor>();
  bytes = 0;

  constructor(private readonly input: Tensor) {}

  /** A layer was computed. */
  note(name: string, module: nn.AnyModule, inputs: readonly unknown[], output: unknown): void {
    for (const value of [...inputs, ...(Array.isArray(output) ? (output as unknown[]) : [output])]) this.keep(value);
    const work = multiplyAddsOf(module, inputs, output);
    const leaf = module.children().length === 0;
    // A block with a parameter beside its layers (a token, a factor) does elementwise work with it.
    if (work === null && leaf) this.unknown.add(module.constructor.name);
    if (!leaf && !(work !== null && work > 0) && module.ownParameters().length === 0) return;
    const before = this.rows.get(module);
    this.rows.set(module, {
      name,
      kind: module.constructor.name,
      output: before?.output ?? (output instanceof Tensor ? output.shape.slice(1) : []),
      parameters: module.ownParameters().reduce((sum, { value }) => sum + value.numel(), 0),
      multiplyAdds: (before?.multiplyAdds ?? 0) + (work ?? 0),
    });
  }

  private keep(value: unknown): void {
    if (!(value instanceof Tensor) || value === this.input || value.isView || this.kept.has(value)) return;
    this.kept.add(value);
    this.bytes += value.numel() * value.elementSize();
  }
}

/** Runs one sample through a copy of the model. */
function dryRun(model: nn.Module, sample: readonly number[], device: string): Watch {
  const copy = model.deepCopy().to(device).eval();
  const parameter = copy.parameters()[0];
  const dtype = parameter?.dtype ?? 'float32';
  const input = torch.zeros([1, ...sample], { device: parameter?.device ?? device, dtype });
  const watch = new Watch(input);
  // Hooks that came with the copy are the caller's business, these are ours.
  for (const [name, module] of copy.namedModules())
    module.registerForwardHook((layer, inputs, output) => {
      watch.note(name, layer as nn.AnyModule, inputs, output);
    });
  copy.forward(input);
  return watch;
}

/**
 * What a model costs for one sample: parameters, multiply-adds (of convolutions, linear and recurrent layers and attention), memory,
 * and each layer. The model is not touched, and nothing is computed where the engine can do without.
 * @param sample shape of one sample, without the batch: [channels, height, width]
 * @throws ArgumentError when such a sample does not fit the model
 */
export function describeModel(model: nn.Module, sample: readonly number[]): ModelDescription {
  requireWholes('describeModel', 'sample', sample);
  let watch: Watch;
  try {
    watch = dryRun(model, sample, 'meta');
  } catch {
    // Not every operator can do without numbers: compute after all. What fails now is the sample's or the model's fault.
    try {
      watch = dryRun(model, sample, String(model.parameters()[0]?.device ?? 'cpu'));
    } catch (error) {
      // Without the operator's arguments, which are the network's own.
      const why = String(error instanceof Error ? error.message : error).split(/\n|; in \w+\(/)[0] as string;
      throw new ArgumentError(
        `${model.constructor.name} cannot take a sample of ${sample.join(' × ')} (channels × height × width): ${why}`,
        { cause: error },
      );
    }
  }
  const layers = [...watch.rows.values()];
  const counted: Record<string, number> = {};
  for (const { kind, multiplyAdds } of layers)
    if (multiplyAdds > 0) counted[kind] = (counted[kind] ?? 0) + multiplyAdds;
  const multiplyAdds = layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0);
  const parameters = model.parameters();
  const size = (tensors: readonly Tensor[]): number => tensors.reduce((sum, tensor) => sum + tensor.numel(), 0);
  const bytes = (tensors: readonly Tensor[]): number =>
    tensors.reduce((sum, tensor) => sum + tensor.numel() * tensor.elementSize(), 0);
  return {
    parameters: size(parameters),
    trainable: size(parameters.filter((parameter) => parameter.requiresGrad)),
    parameterBytes: bytes([...parameters, ...model.buffers()]),
    multiplyAdds,
    flops: 2 * multiplyAdds,
    counted,
    uncounted: [...watch.unknown],
    activationBytes: watch.bytes,
    layers,
  };
}

/**
 * About how many bytes training takes beside the engine itself: weights, gradients, what the optimiser keeps per weight
 * (AdamW: two numbers), and the activations of a batch.
 */
export function trainingBytes(
  description: ModelDescription,
  batchSize: number,
  options: { readonly optimizerNumbers?: number } = {},
): number {
  const { optimizerNumbers = 2 } = options;
  const perWeight = 4 * (1 + optimizerNumbers);
  return description.parameterBytes + description.trainable * perWeight + batchSize * description.activationBytes;
}
