/** What the check of an initialisation measures: how far activations and gradients spread in each layer, and which units are copies. */
import { type Tensor, torch } from '../torch/index.js';
import { firstTensor, numberIn, parameterIn, spread, type WeightedLayer, watching, wide } from './init-probe.js';
import type { AnyModule } from './module.js';

/** What was measured of one layer. */
export interface LayerMeasure {
  /** Dotted name in the model. */
  readonly name: string;
  /** Class of the layer, e.g. `Conv2d`. */
  readonly kind: string;
  /** Shape of its first weight. */
  readonly shape: readonly number[];
  /** Whether the sample reaches it. */
  readonly reached: boolean;
  /** Standard deviation of all its outputs; NaN when the sample does not reach it. */
  readonly activation: number;
  /** Deviation from sample to sample, in the mean over the outputs: what is left of the input, without what is the same for all. */
  readonly signal: number;
  /** Length of the loss's gradient with respect to its outputs, per sample; NaN when none was computed. */
  readonly gradient: number;
  /** Root mean square of the gradient of its weights; NaN when they are not learnt or not used. */
  readonly weightGradient: number;
  /** Output units. */
  readonly units: number;
  /** How many of them have the same weights and bias as another one. */
  readonly symmetricUnits: number;
  /** Whether the gradients of those are the same too, so that they stay copies for good. */
  readonly symmetricGradients: boolean;
  /** Whether a weight of it is all zeros. */
  readonly zero: boolean;
}

/** One run of the sample. */
export interface Measurement {
  /** In the order in which the sample reached them, then those it did not. */
  readonly layers: readonly LayerMeasure[];
  readonly output: Tensor | null;
  /** NaN without a target. */
  readonly loss: number;
}

/** Deviation over the samples (first dimension) of each element, as root mean square over the elements. */
export function signalOf(tensor: Tensor): number {
  if (tensor.ndim === 0 || tensor.size(0) < 2) return spread(tensor);
  return wide(tensor).var([0], { correction: 0 }).mean().sqrt().item();
}

/** Length per sample: the root of the sum of squares, over the root of the number of samples. */
function lengthPerSample(gradient: Tensor): number {
  const samples = Math.max(1, gradient.ndim === 0 ? 1 : gradient.size(0));
  // The loss is a mean over the samples, so the gradient of one sample is that much larger.
  return wide(gradient).square().sum().sqrt().item() * Math.sqrt(samples);
}

const rootMeanSquare = (tensor: Tensor): number => wide(tensor).square().mean().sqrt().item();

export const isAllZero = (tensor: Tensor): boolean => tensor.numel() > 0 && tensor.detach().abs().max().item() === 0;

/** Units of a layer as rows, one matrix per group of a convolution: units of different groups see different inputs. */
function unitRows(module: AnyModule, weight: Tensor, bias: Tensor | null): Tensor {
  const transposed = /Transpose/.test(module.constructor.name);
  const groups = Math.max(1, numberIn(module, 'groups', 1));
  const matrix = wide(weight).to('float64');
  // A transposed convolution holds [in, out / groups, …].
  const rows = transposed
    ? matrix.unflatten(0, [groups, -1]).transpose(1, 2).flatten(2)
    : matrix.flatten(1).unflatten(0, [groups, -1]);
  if (bias === null || bias.numel() !== rows.size(0) * rows.size(1)) return rows;
  return torch.cat(
    [
      rows,
      wide(bias)
        .to('float64')
        .reshape([rows.size(0), rows.size(1), 1]),
    ],
    2,
  );
}

/** How many rows are copies of another row of their group. Rows are compared by one random projection, which equal rows share. */
function copies(rows: Tensor, tolerance = 1e-12): number {
  const [, units, size] = rows.shape as [number, number, number];
  if (units < 2) return 0;
  // Any fixed irrational pattern tells different rows apart; the random state stays untouched.
  const direction = torch
    .arange(1, size + 1, { dtype: 'float64', device: rows.device })
    .mul(1.618033988749895)
    .frac()
    .add(0.5);
  const projected = rows.mul(direction).sum([2]);
  const { values } = projected.sort(1);
  const close = values
    .narrow(1, 1, units - 1)
    .sub(values.narrow(1, 0, units - 1))
    .abs()
    .le(rows.mul(direction).abs().sum([2]).max().item() * tolerance);
  const none = torch.zeros([rows.size(0), 1], { dtype: 'bool', device: rows.device });
  return torch
    .cat([close, none], 1)
    .logicalOr(torch.cat([none, close], 1))
    .sum()
    .item();
}

/** The engine may sum the gradients of equal units in another order. */
const roundingOfGradients = 1e-6;

/** Embeddings have a row per word, not per unit: rows that are the same are no fault of the units. */
const hasUnits = (module: AnyModule, weight: Tensor): boolean =>
  !/Embedding/.test(module.constructor.name) && weight.ndim >= 2;

interface Units {
  readonly units: number;
  readonly symmetricUnits: number;
  readonly symmetricGradients: boolean;
}

function unitsOf(layer: WeightedLayer, gradients: ReadonlyMap<Tensor, Tensor | null>): Units {
  const { module, weights } = layer;
  let result: Units = { units: 0, symmetricUnits: 0, symmetricGradients: false };
  for (const { key, value } of weights) {
    if (!hasUnits(module, value)) continue;
    const biasKey = key.replace(/weight/i, (word) => (word === 'weight' ? 'bias' : 'Bias'));
    const bias = parameterIn(module, biasKey);
    const rows = unitRows(module, value, bias);
    const symmetricUnits = isAllZero(value) ? 0 : copies(rows);
    const gradient = gradients.get(value) ?? null;
    const sameGradients =
      symmetricUnits > 0 &&
      gradient !== null &&
      copies(unitRows(module, gradient, null), roundingOfGradients) >= symmetricUnits;
    if (symmetricUnits > result.symmetricUnits || result.units === 0)
      result = { units: rows.size(0) * rows.size(1), symmetricUnits, symmetricGradients: sameGradients };
  }
  return result;
}

/**
 * Runs the sample forward and the loss backward, and measures every layer. Gradients are computed apart: no parameter's `grad` changes.
 * @param run gives the model's output for the sample
 * @param lossOf gives the loss for it
 */
export function measure(
  layers: readonly WeightedLayer[],
  run: () => unknown,
  lossOf: (output: Tensor) => Tensor,
): Measurement {
  const reached = new Map<WeightedLayer, { activation: number; signal: number; output: Tensor | null }>();
  const watch = (layer: WeightedLayer, output: unknown): undefined => {
    const tensor = firstTensor(output);
    if (tensor === null || reached.has(layer)) return;
    const activation = spread(tensor);
    const signal = signalOf(tensor);
    reached.set(layer, { activation, signal, output: tensor.requiresGrad ? tensor : null });
  };
  return torch.enableGrad(() => {
    const output = firstTensor(watching(layers, (layer, _, output) => watch(layer, output), run));
    const loss = output === null ? null : lossOf(output);
    const learnt = layers.flatMap((layer) => layer.weights.map((x) => x.value)).filter((x) => x.requiresGrad);
    const outputs = [...reached.values()].map((x) => x.output).filter((x) => x !== null);
    const wanted: Tensor[] = [...outputs, ...learnt];
    const gradients = new Map<Tensor, Tensor | null>();
    if (loss?.requiresGrad === true && wanted.length > 0) {
      const found = torch.autograd.grad([loss], wanted, { allowUnused: true });
      for (const [i, tensor] of wanted.entries()) gradients.set(tensor, found[i] ?? null);
    }
    const ordered = [...reached.keys(), ...layers.filter((layer) => !reached.has(layer))];
    const measured = ordered.map((layer): LayerMeasure => {
      const seen = reached.get(layer);
      const gradient = seen?.output ? gradients.get(seen.output) : null;
      const own = layer.weights.map(({ value }) => gradients.get(value)).filter((x) => x !== null && x !== undefined);
      return {
        name: layer.name,
        kind: layer.module.constructor.name,
        shape: layer.weights[0]?.value.shape ?? [],
        reached: seen !== undefined,
        activation: seen?.activation ?? Number.NaN,
        signal: seen?.signal ?? Number.NaN,
        gradient: gradient ? lengthPerSample(gradient) : Number.NaN,
        weightGradient: own.length === 0 ? Number.NaN : Math.max(...own.map(rootMeanSquare)),
        ...unitsOf(layer, gradients),
        zero: layer.weights.some(({ value }) => isAllZero(value)),
      };
    });
    return { layers: measured, output: output?.detach() ?? null, loss: loss?.item() ?? Number.NaN };
  });
}
