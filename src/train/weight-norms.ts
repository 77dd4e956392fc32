/** How large the weights are, for the log: decay is to keep them small, and gradients with them. */
import type { Tensor } from '../torch/index.js';
import { torch } from '../torch/index.js';
import type { Classifier } from './compute.js';

export interface WeightNorms {
  /** Root of the sum of the squares of all weights that decay: matrices and kernels, not biases and norms. */
  readonly weightNorm: number;
  /** The same of each layer, by its path. */
  readonly weightNorms: Readonly<Record<string, number>>;
}

/** Norms of a model's weights, with seven digits. */
export function weightNorms(model: Classifier): WeightNorms {
  const layers: Record<string, number> = {};
  let sum = 0;
  torch.scope(() =>
    torch.noGrad(() => {
      for (const [name, parameter] of model.namedParameters() as [string, Tensor][]) {
        if (parameter.ndim < 2) continue;
        const norm = parameter.detach().float().square().sum().sqrt().item() as number;
        sum += norm ** 2;
        const layer = name.replace(/\.?[^.]+$/, '') || name;
        layers[layer] = Number(Math.hypot(layers[layer] ?? 0, norm).toPrecision(7));
      }
    }),
  );
  return { weightNorm: Number(Math.sqrt(sum).toPrecision(7)), weightNorms: layers };
}
