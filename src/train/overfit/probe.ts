/**
 * A linear classifier on frozen activations: what a layer knows in a form that a straight line can read.
 * Source: Alain & Bengio, "Understanding intermediate layers using linear classifier probes" (2016)
 */
import * as nn from '../../nn/index.js';
import { functional as F } from '../../nn/index.js';
import { AdamW } from '../../optim/index.js';
import { type Tensor, torch } from '../../torch/index.js';

export interface ProbeData {
  /** [N, features] */
  readonly input: Tensor;
  /** Class numbers [N]. */
  readonly target: Tensor;
}

export interface ProbeResult {
  readonly train: number;
  readonly validation: number;
  /** Numbers per sample that the probe got. */
  readonly features: number;
  /** Which samples the probe names rightly, 1 each: what two layers differ by is told sample by sample. */
  readonly right: { readonly train: Uint8Array; readonly validation: Uint8Array };
}

export interface ProbeOptions {
  readonly classes: number;
  /**
   * Most features: with more, the first principal components of the training part. The same for every layer, since a probe with more
   * inputs fits its own training samples better whatever they are. Default 64.
   */
  readonly features?: number;
  readonly steps?: number;
  readonly decay?: number;
}

/** Makes features of mean 0 and deviation 1 on the training part, and at most `count` of them. */
function standardised(train: Tensor, validation: Tensor, count: number): [Tensor, Tensor] {
  const mean = train.mean({ dim: [0], keepdim: true });
  let [a, b] = [train.sub(mean), validation.sub(mean)];
  if ((train.shape[1] as number) > count) {
    const covariance = a
      .t()
      .matmul(a)
      .div(train.shape[0] as number);
    // Eigenvalues come in ascending order.
    const [, vectors] = torch.linalg.eigh(covariance.double());
    const width = train.shape[1] as number;
    const main = vectors.float().narrow(1, width - count, count);
    [a, b] = [a.matmul(main), b.matmul(main)];
  }
  const deviation = a
    .pow(2)
    .mean({ dim: [0], keepdim: true })
    .sqrt()
    .add(1e-6);
  return [a.div(deviation), b.div(deviation)];
}

/** Trains a probe on the training samples, all at once, and measures it on both parts. */
export function linearProbe(train: ProbeData, validation: ProbeData, options: ProbeOptions): ProbeResult {
  const { classes, features = 64, steps = 150, decay = 1e-3 } = options;
  return torch.scope(() => {
    const [a, b] = torch.noGrad(() => standardised(train.input, validation.input, features));
    const width = a.shape[1] as number;
    const layer = new nn.Linear(width, classes);
    torch.noGrad(() => {
      layer.weight.zero_();
      layer.bias?.zero_();
    });
    const optimizer = new AdamW(layer.parameters(), { lr: 0.05, weightDecay: 0 });
    for (let step = 0; step < steps; step++) {
      torch.scope(() => {
        // From large to small steps, so that all layers come as far.
        for (const group of optimizer.paramGroups) group.lr = 0.05 * (1 - step / steps) + 1e-4;
        const loss = F.crossEntropy(layer.forward(a), train.target).add(layer.weight.pow(2).sum().mul(decay));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
      });
    }
    const rightOf = (input: Tensor, target: Tensor): Uint8Array =>
      torch.noGrad(
        () =>
          layer
            .forward(input)
            .argmax(1)
            .eq(target)
            .to({ dtype: 'uint8' })
            .contiguous()
            .toTypedArray()
            .slice() as Uint8Array,
      );
    const right = { train: rightOf(a, train.target), validation: rightOf(b, validation.target) };
    const share = (values: Uint8Array): number => values.reduce((sum, one) => sum + one, 0) / values.length;
    return { train: share(right.train), validation: share(right.validation), features: width, right };
  });
}
