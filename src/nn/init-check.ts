/**
 * A check of an initialisation on sample data, before any training: does a signal go through, does a gradient come back, do the units
 * differ, does the first loss say "no idea yet"? Names what is wrong, with the evidence and the remedy.
 */
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import { crossEntropy, mseLoss } from './functional-losses.js';
import { kaimingUniform_ } from './init.js';
import { type Evidence, type Finding, findFaults, type OptimiserKind } from './init-findings.js';
import { isAllZero, type LayerMeasure, type Measurement, measure, signalOf } from './init-measure.js';
import {
  inputsOf,
  requireModel,
  type SampleBatch,
  short,
  table,
  type WeightedLayer,
  weightedLayers,
  withoutTrace,
} from './init-probe.js';
import type { AnyModule } from './module.js';

/** Sample data: the inputs alone, or with the targets, which the first loss needs. */
export type CheckBatch = SampleBatch | { readonly input: SampleBatch; readonly target: Tensor };

export interface CheckOptions {
  /** The loss that will be trained. Default: cross-entropy for targets of class numbers, squared error for others. */
  readonly loss?: (output: Tensor, target: Tensor) => Tensor;
  /** What will train the model: an optimiser, or its name. Decides whether a final layer of zeros does harm. */
  readonly optimiser?: string | object;
  /** How the sample goes through the model. Default: its elements are the arguments of `forward`. */
  readonly run?: (inputs: readonly unknown[]) => unknown;
}

/** What the check found. Prints as a table and a list. */
export class CheckReport {
  constructor(
    readonly layers: readonly LayerMeasure[],
    readonly findings: readonly Finding[],
    /** The loss before any step; NaN without targets. */
    readonly firstLoss: number,
    /** ln(classes), the cross-entropy of knowing nothing; NaN when the targets are not classes. */
    readonly chanceLoss: number,
  ) {}

  /** True when nothing is wrong; notes do not count. */
  get ok(): boolean {
    return this.findings.every((finding) => finding.severity === 'note');
  }

  toString(): string {
    const cell = (x: number): string => (Number.isNaN(x) ? '—' : short(x));
    const rows = this.layers.map((x) => [
      x.name,
      x.kind,
      cell(x.activation),
      cell(x.signal),
      cell(x.gradient),
      x.units === 0 ? '—' : `${x.symmetricUnits} of ${x.units}`,
    ]);
    const lines = [table([['layer', 'kind', 'activations', 'signal', 'gradient', 'copies'], ...rows])];
    if (!Number.isNaN(this.firstLoss)) {
      const chance = Number.isNaN(this.chanceLoss)
        ? ''
        : `, knowing nothing costs ln(classes) = ${short(this.chanceLoss)}`;
      lines.push(`first loss ${short(this.firstLoss)}${chance}`);
    }
    for (const { severity, message, evidence, remedy } of this.findings)
      lines.push(`${severity === 'note' ? '·' : '✘'} ${message}\n    ${evidence}\n    → ${remedy}`);
    if (this.ok) lines.push('✔ nothing is wrong with this initialisation');
    return lines.join('\n');
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Optimisers that divide by the size of the gradient, or take its sign only. */
const adaptive = /adam|adagrad|adadelta|adamax|adafactor|rmsprop|lion|lamb|muon|signsgd|rprop/i;

function kindOf(optimiser: string | object | undefined): OptimiserKind {
  if (optimiser === undefined) return { name: null, adaptive: null };
  const name = typeof optimiser === 'string' ? optimiser : optimiser.constructor.name;
  if (adaptive.test(name)) return { name, adaptive: true };
  if (/sgd|lars|momentum|lbfgs/i.test(name)) return { name, adaptive: false };
  if (typeof optimiser === 'string')
    throw new ArgumentError(
      `nn.init.check(): '${name}' is no optimiser I know; pass 'SGD', 'AdamW', … or the optimiser itself.`,
    );
  return { name, adaptive: null };
}

interface Sample {
  readonly inputs: readonly unknown[];
  readonly target: Tensor | null;
}

function sampleOf(batch: CheckBatch): Sample {
  if (typeof batch === 'object' && batch !== null && 'input' in batch && !(batch instanceof Tensor)) {
    if (!(batch.target instanceof Tensor))
      throw new ArgumentError(
        'nn.init.check(): the target of the batch must be a Tensor; leave it out to check without a loss.',
      );
    return { inputs: inputsOf(batch.input, 'nn.init.check'), target: batch.target };
  }
  return { inputs: inputsOf(batch as SampleBatch, 'nn.init.check'), target: null };
}

const isClasses = (target: Tensor | null, output: Tensor): boolean =>
  target !== null && /^u?int/.test(target.dtype) && output.ndim >= 2 && target.ndim === output.ndim - 1;

/** Without a target: the outputs weighted by numbers of fixed, mixed signs, so that a gradient of usual size comes back. */
function anyLoss(output: Tensor): Tensor {
  const signs = torch
    .arange(output.numel(), { dtype: 'float32', device: output.device })
    .mul(1.618033988749895)
    .frac()
    .sub(0.5)
    .reshape(output.shape);
  return output
    .mul(signs.to(output.dtype))
    .sum()
    .div(Math.max(1, output.ndim === 0 ? 1 : output.size(0)));
}

function lossFor(sample: Sample, options: CheckOptions): (output: Tensor) => Tensor {
  const { target } = sample;
  const { loss } = options;
  if (target === null) return anyLoss;
  if (loss !== undefined) return (output) => loss(output, target);
  return (output) => {
    if (isClasses(target, output)) return crossEntropy(output, target);
    if (target.isFloatingPoint() && target.shape.join() === output.shape.join()) return mseLoss(output, target);
    throw new ArgumentError(
      `nn.init.check(): no loss is obvious for outputs of shape [${output.shape.join(', ')}] and a target of ${target.dtype} [${target.shape.join(', ')}]; pass { loss: (output, target) => … }.`,
    );
  };
}

/** Gives zeros the default initialisation while `action` runs, to see past them. The random state is the caller's to keep. */
function withFilled<T>(weights: readonly Tensor[], action: () => T): T {
  torch.noGrad(() => {
    for (const weight of weights) kaimingUniform_(weight, { a: Math.sqrt(5) });
  });
  try {
    return action();
  } finally {
    torch.noGrad(() => {
      for (const weight of weights) weight.zero_();
    });
  }
}

/** The layers as measured, with the gradients that came through a final layer of zeros once it was filled. */
function seePast(first: Measurement, second: Measurement): LayerMeasure[] {
  const byName = new Map(second.layers.map((layer) => [layer.name, layer]));
  return first.layers.map((layer) => {
    const { gradient = Number.NaN, weightGradient = Number.NaN } = byName.get(layer.name) ?? {};
    return { ...layer, gradient, weightGradient };
  });
}

/** The layer that computes the output: the last one that the sample reaches. */
function finalLayer(layers: readonly WeightedLayer[], measured: Measurement): WeightedLayer | null {
  const reached = measured.layers.filter((layer) => layer.reached);
  return layers.find((layer) => layer.name === reached.at(-1)?.name) ?? null;
}

/** The first float tensor of the inputs and how it varies; NaN for token numbers. */
function inputSpread(inputs: readonly unknown[]): { activation: number; signal: number } {
  const first = inputs.find((x): x is Tensor => x instanceof Tensor && x.isFloatingPoint());
  if (first === undefined) return { activation: Number.NaN, signal: Number.NaN };
  return { activation: first.detach().to('float32').std(false).item(), signal: signalOf(first) };
}

/**
 * Measures activation spread, gradient spread and symmetric units of every layer on sample data, compares the first loss with
 * ln(classes), and names what is wrong: layers of zeros, layers of copies, vanishing or exploding spread, dead layers, a final layer of
 * zeros under an adaptive optimiser, a first loss that is not that of knowing nothing; each with the remedy.
 * The model is left exactly as it was: weights, gradients, modes, buffers, hooks and random state.
 * @param batch inputs, or `{ input, target }`; a usual batch of 32 or more samples, normalised as in training
 */
export function check(model: AnyModule, batch: CheckBatch, options: CheckOptions = {}): CheckReport {
  requireModel(model, 'nn.init.check');
  const optimiser = kindOf(options.optimiser);
  const sample = sampleOf(batch);
  const layers = weightedLayers(model);
  if (layers.length === 0) throw new ArgumentError('nn.init.check(): the model has no layer with weights to check.');
  const run = options.run ?? ((values: readonly unknown[]) => model.forward(...values));
  const once = (): Measurement => measure(layers, () => run(sample.inputs), lossFor(sample, options));

  return withoutTrace(model, () => {
    const first = once();
    const last = finalLayer(layers, first);
    const zeroFinal = last === null ? [] : last.weights.map((x) => x.value).filter(isAllZero);
    const second = zeroFinal.length === 0 ? first : withFilled(zeroFinal, once);
    const measured = zeroFinal.length === 0 ? first.layers : seePast(first, second);
    const classes = first.output !== null && isClasses(sample.target, first.output) ? first.output.size(1) : null;
    const evidence: Evidence = {
      layers: measured,
      finalName: last?.name ?? null,
      optimiser,
      input: inputSpread(sample.inputs),
      outputSignal: second.output === null ? Number.NaN : signalOf(second.output),
      gates: zeroGates(model),
      hasTarget: sample.target !== null,
      firstLoss: sample.target === null ? Number.NaN : first.loss,
      crossEntropy:
        classes === null ? Number.NaN : crossEntropy(first.output as Tensor, sample.target as Tensor).item(),
      classes,
    };
    const chance = classes === null ? Number.NaN : Math.log(classes);
    return new CheckReport(measured, findFaults(evidence), evidence.firstLoss, chance);
  });
}

/** Whether something holds a branch shut on purpose: a norm layer or a gate that starts at zero. Its branch has no gradient yet. */
function zeroGates(model: AnyModule): boolean {
  return model
    .namedParameters()
    .some(([name, parameter]) => !/bias/i.test(name) && parameter.ndim <= 1 && isAllZero(parameter));
}
