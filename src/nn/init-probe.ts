/** What the tools of initialisation share: finding the layers with weights, running a model on sample data without leaving a trace. */
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import type { AnyModule } from './module.js';
import { Parameter } from './parameter.js';

/** Sample data: one input, or all the inputs of `forward`. */
export type SampleBatch = Tensor | readonly unknown[];

/** A module with weights of its own, under its dotted name. */
export interface WeightedLayer {
  readonly name: string;
  readonly module: AnyModule;
  /** Its weights: parameters of two or more dimensions whose name says weight, by field. */
  readonly weights: readonly { readonly key: string; readonly value: Parameter }[];
}

const isWeight = (key: string, value: Tensor): boolean => /weight/i.test(key) && value.ndim >= 2;

/**
 * The modules that hold matrices or kernels of weights, in the order in which the model holds them. Norm layers (weights of one
 * dimension), class tokens and position embeddings (no weights by name) are not among them.
 */
export function weightedLayers(model: AnyModule): WeightedLayer[] {
  const found: WeightedLayer[] = [];
  for (const [name, module] of model.namedModules()) {
    // A LayerNorm over two dimensions has a weight of two dimensions, which is a factor per element all the same.
    if (/Norm/.test(module.constructor.name)) continue;
    const weights = module
      .ownParameters()
      .filter(({ key, value }) => isWeight(key, value))
      .map(({ key, value }) => ({ key, value }));
    if (weights.length > 0) found.push({ name: name === '' ? module.constructor.name : name, module, weights });
  }
  return found;
}

/** The parameter in a field, or null. */
export function parameterIn(module: AnyModule, key: string): Parameter | null {
  const value = (module as unknown as Readonly<Record<string, unknown>>)[key];
  return value instanceof Parameter ? value : null;
}

/** The number in a field, or a default. */
export function numberIn(module: AnyModule, key: string, otherwise: number): number {
  const value = (module as unknown as Readonly<Record<string, unknown>>)[key];
  return typeof value === 'number' ? value : otherwise;
}

/** The first tensor in what a module returned: itself, or in an array or object (attention returns output and weights). */
export function firstTensor(output: unknown): Tensor | null {
  if (output instanceof Tensor) return output;
  if (typeof output !== 'object' || output === null) return null;
  for (const value of Object.values(output)) {
    const found = firstTensor(value);
    if (found !== null) return found;
  }
  return null;
}

/** What a module returned, with its first tensor replaced. */
export function withFirstTensor(output: unknown, tensor: Tensor): unknown {
  if (output instanceof Tensor || !Array.isArray(output)) return tensor;
  const at = output.findIndex((value) => value instanceof Tensor);
  return output.map((value: unknown, i) => (i === at ? tensor : value));
}

/** Standard deviation of all elements together, in float32 at least; 0 for one element. */
export function spread(tensor: Tensor): number {
  if (tensor.numel() < 2) return 0;
  return wide(tensor).std(false).item();
}

/** Half types are too coarse to sum in. */
export function wide(tensor: Tensor): Tensor {
  const x = tensor.detach();
  return x.dtype === 'float64' ? x : x.to('float32');
}

export function requireModel(model: unknown, name: string): asserts model is AnyModule {
  if (typeof (model as { namedModules?: unknown } | null)?.namedModules !== 'function')
    throw new ArgumentError(
      `${name}(): the first argument must be a module, got ${model === null ? 'null' : typeof model}.`,
    );
}

/** The arguments of `forward` in a sample. */
export function inputsOf(batch: SampleBatch, name: string): readonly unknown[] {
  const inputs = batch instanceof Tensor ? [batch] : batch;
  if (!Array.isArray(inputs) || !inputs.some((value) => value instanceof Tensor))
    throw new ArgumentError(
      `${name}(): the batch must be an input tensor, or an array with all the inputs of forward().`,
    );
  const empty = inputs.find((value): value is Tensor => value instanceof Tensor && value.numel() === 0);
  if (empty !== undefined)
    throw new ArgumentError(
      `${name}(): the batch has no elements (shape [${empty.shape.join(', ')}]); pass some samples.`,
    );
  return inputs;
}

const keepsStatistics = (module: AnyModule): boolean =>
  module.ownBuffers().some(({ name }) => /^running_?/i.test(name));

/**
 * Runs `action` with the model as it is when training starts, but without chance: norm layers use the batch (as in training), dropout
 * and its like pass everything through (as in evaluation). Afterwards modes, buffers and random state are exactly as before.
 */
export function withoutTrace<T>(model: AnyModule, action: () => T): T {
  const modules = model.modules();
  const modes = modules.map((module) => module.training);
  const buffers = modules.flatMap((module) =>
    module.ownBuffers().map(({ key, value }) => ({ module, key, value, content: value.detach().clone() })),
  );
  const devices = new Set([...model.parameters(), ...model.buffers()].map((tensor) => tensor.device));
  for (const device of ['cpu', 'meta']) devices.delete(device);
  return torch.forkRng(() => {
    try {
      for (const module of modules) module.training = keepsStatistics(module);
      return action();
    } finally {
      modules.forEach((module, i) => {
        module.training = modes[i] as boolean;
      });
      torch.noGrad(() => {
        for (const { module, key, value, content } of buffers) {
          value.copy_(content);
          module.setField(key, value);
        }
      });
    }
  }, [...devices]);
}

/** Runs `action` with `watch` called after each forward of each layer; what `watch` returns, if anything, replaces the output. */
export function watching<T>(
  layers: readonly WeightedLayer[],
  watch: (layer: WeightedLayer, inputs: readonly unknown[], output: unknown) => unknown,
  action: () => T,
  before?: (layer: WeightedLayer, inputs: readonly unknown[]) => void,
): T {
  const handles = layers.flatMap((layer) => [
    layer.module.registerForwardHook((_, inputs, output) => watch(layer, inputs, output)),
    ...(before === undefined ? [] : [layer.module.registerForwardPreHook((_, inputs) => before(layer, inputs))]),
  ]);
  try {
    return action();
  } finally {
    for (const handle of handles) handle.remove();
  }
}

/** Two significant figures or so, of any size: 0.58, 1.4, 12, 3.1e-5. */
export function short(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (x === 0) return '0';
  const size = Math.abs(x);
  return size >= 1e4 || size < 1e-3
    ? x.toExponential(1)
    : String(Number(x.toPrecision(size >= 1 && size < 10 ? 3 : 2)));
}

/** Rows of text as a table with aligned columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
