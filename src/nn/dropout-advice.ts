/**
 * Where dropout belongs in a network, by the seed text's rules: before large fully connected layers and before some 1 × 1 convolutions, not
 * before other convolutions, and not before batch normalisation.
 * Sources: Srivastava et al. 2014 (dropout); Li et al. 2018, https://arxiv.org/abs/1801.05134 (batch normalisation after dropout);
 * Huang et al. 2016, https://arxiv.org/abs/1603.09382 (stochastic depth).
 */
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import { Convolution } from './layers/convolution.js';
import { Dropout, Dropout1d, Dropout2d, Dropout3d, StochasticDepth } from './layers/dropout.js';
import { Linear } from './layers/linear.js';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from './layers/normalisation-batch.js';
import type { AnyModule, Module } from './module.js';

/** What to do at one place. */
export interface DropoutFinding {
  /**
   * `add` a dropout, `consider` one, `remove` the one that is there, `move` it behind the batch normalisation, or `good`: it stands where it
   * should.
   */
  readonly kind: 'add' | 'consider' | 'remove' | 'move' | 'good';
  /** Path of the layer that it is about: the one that wants dropout before it, or the dropout itself. */
  readonly layer: string;
  /** One sentence: what is there and why it matters. */
  readonly message: string;
  /** What to do; empty for `good`. */
  readonly remedy: string;
}

export interface DropoutAdviceOptions {
  /**
   * A batch, or the shape of one sample without the batch: the network is run on it once, which tells in what order its layers work. Without
   * it, the order in which they were made is taken for it.
   */
  readonly input?: Tensor | readonly number[];
  /** From how many weights on a layer counts as large. Default 50,000, or 10,000 where that is a tenth of the network. */
  readonly large?: number;
}

/** A layer at work. */
interface Call {
  readonly name: string;
  readonly module: AnyModule;
  /** The call whose output it takes; −1 for the network's input. */
  readonly from: number;
}

const isDropout = (module: AnyModule): module is Dropout | Dropout1d | Dropout2d | Dropout3d =>
  [Dropout, Dropout1d, Dropout2d, Dropout3d].some((kind) => module instanceof kind);
const isBatchNorm = (module: AnyModule): boolean =>
  [BatchNorm1d, BatchNorm2d, BatchNorm3d].some((kind) => module instanceof kind);
const isLeaf = (module: AnyModule): boolean => module.children().length === 0;
const isPointwise = (module: Convolution): boolean => module.kernelSize.every((side) => side === 1);
/** Layers that mix what they get: behind them the units are others. */
const mixes = (module: AnyModule): boolean => module.ownParameters().some(({ value }) => value.ndim >= 2);

/** The layers in the order in which they work, each with the one it takes its input from where that can be seen. */
function watch(model: Module, input: Tensor | readonly number[]): Call[] {
  const copy = model.deepCopy().eval();
  const weight = copy.parameters()[0];
  const batch =
    input instanceof Tensor
      ? input
      : torch.zeros([2, ...input], { dtype: weight?.dtype ?? 'float32', device: weight?.device ?? 'cpu' });
  const calls: Call[] = [];
  const made = new Map<Tensor, number>([[batch, -1]]);
  for (const [name, module] of copy.namedModules()) {
    if (!isLeaf(module)) continue;
    module.registerForwardHook((_, inputs, output) => {
      const given = (inputs as unknown[]).find((one): one is Tensor => one instanceof Tensor);
      // What a function made in between is not known: then it is the layer before.
      const from = given === undefined ? undefined : made.get(given);
      calls.push({ name, module: module as AnyModule, from: from ?? calls.length - 1 });
      if (output instanceof Tensor) made.set(output, calls.length - 1);
    });
  }
  torch.noGrad(() => copy.forward(batch));
  return calls;
}

/** The layers in the order in which they were made. */
const asMade = (model: Module): Call[] =>
  model
    .namedModules()
    .filter(([, module]) => isLeaf(module))
    .map(([name, module], i) => ({ name, module, from: i - 1 }));

/** The dropouts between a layer and the one before it that mixes, nearest first. */
function dropoutsBefore(calls: readonly Call[], at: number): Call[] {
  const found: Call[] = [];
  for (let i = (calls[at] as Call).from; i >= 0; i = (calls[i] as Call).from) {
    const call = calls[i] as Call;
    if (isDropout(call.module)) found.push(call);
    else if (mixes(call.module)) break;
  }
  return found;
}

const grouped = (n: number): string => n.toLocaleString('en-GB');
const weightsOf = (module: AnyModule): number =>
  module.ownParameters().reduce((sum, { value }) => sum + (value.ndim >= 2 ? value.numel() : 0), 0);

/** What is to be said of a layer that may want dropout before it. */
function adviseLayer(call: Call, before: readonly Call[], large: number, last: boolean): DropoutFinding | undefined {
  const { name, module } = call;
  const weights = weightsOf(module);
  const active = before.filter(({ module: one }) => (one as Dropout).p > 0);
  if (module instanceof Convolution && !isPointwise(module)) {
    const [wrong] = active.filter(({ module: one }) => one instanceof Dropout);
    if (wrong === undefined) return undefined;
    return {
      kind: 'remove',
      layer: wrong.name,
      message: `${wrong.name} is a dropout before ${name}, a convolution of ${module.kernelSize.join(' × ')}: within its field neighbouring pixels say the same, so single pixels left out take little away and only make its kernels harder to learn.`,
      remedy: 'Take it out; put dropout before the large fully connected layers, or use stochastic depth.',
    };
  }
  const pointwise = module instanceof Convolution;
  if (!pointwise && !(module instanceof Linear)) return undefined;
  const what = pointwise
    ? `a 1 × 1 convolution with ${grouped(weights)} weights`
    : `a fully connected layer with ${grouped(weights)} weights`;
  const [there] = active;
  if (there !== undefined)
    return {
      kind: 'good',
      layer: there.name,
      message: `${there.name} (p = ${(there.module as Dropout).p}) stands before ${name}, ${what}: here dropout belongs.`,
      remedy: '',
    };
  if (weights < large) return undefined;
  // A shortcut is to hand on what it gets.
  if (pointwise && /(^|\.)(downsample|shortcut|skip)(\.|$)/.test(name)) return undefined;
  const [idle] = before;
  const remedy =
    idle === undefined
      ? `Put nn.Dropout(${last ? 0.5 : 0.2}) before it.`
      : `Raise p of ${idle.name}, which stands there with p = 0, to ${last ? 0.5 : 0.2}.`;
  return pointwise
    ? {
        kind: 'consider',
        layer: name,
        message: `${name} is ${what}: where a network overfits, dropout before such a one can help.`,
        remedy: remedy
          .replace('Put', 'Try')
          .replace(' before it.', ' before it, if training leaves validation behind.'),
      }
    : {
        kind: 'add',
        layer: name,
        message: `${name} is ${what}: so many connections learn to rely on particular combinations of their inputs.`,
        remedy,
      };
}

/** Dropouts that a batch normalisation comes after, and those after the last layer that has weights. */
function adviseDropouts(calls: readonly Call[]): DropoutFinding[] {
  const lastMixing = calls.findLastIndex(({ module }) => mixes(module));
  return calls.flatMap(({ name, module }, i): DropoutFinding[] => {
    if (!isDropout(module) || module.p === 0) return [];
    if (i > lastMixing && lastMixing >= 0)
      return [
        {
          kind: 'remove',
          layer: name,
          message: `${name} comes after the last layer with weights: it sets answers to zero instead of what they are made from.`,
          remedy: `Move it before ${(calls[lastMixing] as Call).name}.`,
        },
      ];
    const norm = calls.slice(i + 1).find((later) => isBatchNorm(later.module));
    if (norm === undefined) return [];
    return [
      {
        kind: 'move',
        layer: name,
        message: `${name} is a dropout before the batch normalisation ${norm.name}: it makes what that measures in training vary more than in evaluation, and the two no longer agree.`,
        remedy: 'Move it behind the last batch normalisation, or use another normalisation (GroupNorm, LayerNorm).',
      },
    ];
  });
}

/** Linear layers inside residual branches with attention: whole branches are left out there, and not their units. */
function branchesOf(model: Module): { readonly prefixes: readonly string[]; readonly hasDepth: boolean } {
  const prefixes = model
    .namedModules()
    .filter(
      ([, module]) =>
        !isLeaf(module) && /(Attention|TransformerEncoderLayer|TransformerDecoderLayer)$/.test(module.constructor.name),
    )
    .map(([name]) =>
      /TransformerEncoderLayer|TransformerDecoderLayer/.test(name) ? name : name.split('.').slice(0, -1).join('.'),
    )
    .filter((name) => name !== '');
  const hasDepth = model.modules().some((module) => module instanceof StochasticDepth && module.p > 0);
  return { prefixes: [...new Set(prefixes)], hasDepth };
}

/**
 * Says for each place in a network whether dropout belongs there, and why: `add`, `consider`, `remove`, `move`, `good`. The model is not
 * changed. Dropout that is called as a function (`F.dropout`) cannot be seen.
 *
 *     for (const { kind, layer, message, remedy } of nn.dropoutAdvice(net, { input: [3, 64, 64] })) console.log(kind, layer, message, remedy);
 *
 * @throws ArgumentError when the input does not fit the network
 */
export function dropoutAdvice(model: Module, options: DropoutAdviceOptions = {}): DropoutFinding[] {
  const { input } = options;
  let calls: Call[];
  try {
    calls = input === undefined ? asMade(model) : watch(model, input);
  } catch (error) {
    const shape = input instanceof Tensor ? input.shape : [2, ...(input ?? [])];
    throw new ArgumentError(
      `dropoutAdvice(): ${model.constructor.name} cannot take an input of shape [${shape.join(', ')}]: ${(error as Error).message.split('\n')[0]}`,
      { cause: error },
    );
  }
  const all = calls.reduce((sum, { module }) => sum + weightsOf(module), 0);
  const large = options.large ?? Math.min(50_000, Math.max(10_000, all / 10));
  const { prefixes, hasDepth } = branchesOf(model);
  const inBranch = (name: string): boolean => prefixes.some((prefix) => name.startsWith(`${prefix}.`));
  const lastMixing = calls.findLastIndex(({ module }) => mixes(module));
  const findings = calls.flatMap((call, i): DropoutFinding[] => {
    const finding = adviseLayer(call, dropoutsBefore(calls, i), large, i === lastMixing);
    if (finding === undefined || (finding.kind === 'add' && inBranch(call.name))) return [];
    return [finding];
  });
  if (prefixes.length > 0 && !hasDepth)
    findings.push({
      kind: 'consider',
      layer: prefixes[0] as string,
      message: `${prefixes.length} residual branch${prefixes.length === 1 ? '' : 'es'} with attention (${prefixes[0]}${prefixes.length > 1 ? ', …' : ''}) hold large fully connected layers: there whole branches are better left out than single units.`,
      remedy: 'Use stochastic depth (nn.StochasticDepth, dropPath of the built-in models), 0.1 for small data.',
    });
  const dropouts = adviseDropouts(calls);
  // What is to go needs no praise.
  const wrong = new Set(dropouts.map(({ layer }) => layer));
  const seen = new Set<string>();
  return [...findings.filter(({ kind, layer }) => kind !== 'good' || !wrong.has(layer)), ...dropouts].filter(
    ({ kind, layer }) => {
      const key = `${kind} ${layer}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    },
  );
}
