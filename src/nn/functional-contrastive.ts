/** Learning without labels: two views of a picture are to be more alike than either is to any other. Source: Chen et al. 2020, https://arxiv.org/abs/2002.05709 */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { crossEntropy } from './functional-losses.js';
import { normalize } from './functional-normalisation.js';

export interface NtXentOptions {
  /** What similarities are divided by: the smaller, the more the most alike strangers count. Default 0.5, as in SimCLR on CIFAR-10. */
  readonly temperature?: number;
}

/** Row of each row's partner: rows i and i + n are two views of one sample. int64 [2 n]. */
export function ntXentPartners(rows: number, device?: string): Tensor {
  if (!Number.isInteger(rows) || rows < 4 || rows % 2 !== 0)
    throw new ArgumentError(
      `ntXentLoss(): the rows must be two views of two samples or more, the second half those of the first; got ${rows}.`,
    );
  const partners = torch
    .arange(rows)
    .add(rows / 2)
    .remainder(rows)
    .to('int64');
  return device === undefined ? partners : partners.to({ device });
}

/**
 * Cosines of all pairs of rows of `input` [2 n, features] over the temperature, each row's with itself −∞: logits [2 n, 2 n] of the
 * question which other row is a row's partner. In float32 whatever the precision of the input.
 */
export function ntXentLogits(input: Tensor, options: NtXentOptions = {}): Tensor {
  const { temperature = 0.5 } = options;
  if (!(temperature > 0)) throw new ArgumentError(`ntXentLoss(): temperature must be above 0, got ${temperature}.`);
  if (input.ndim !== 2)
    throw new ArgumentError(`ntXentLoss(): the input must be [2 n, features], got shape [${input.shape.join(', ')}].`);
  const wide = input.dtype === 'float64' ? input : input.float();
  const rows = normalize(wide, { dim: 1 });
  const itself = torch.eye(input.shape[0] as number, { dtype: 'bool', device: input.device });
  return rows.matmul(rows.t()).div(temperature).maskedFill(itself, Number.NEGATIVE_INFINITY);
}

/**
 * NT-Xent, SimCLR's loss: the cross-entropy of naming each row's partner among all other rows. Rows i and i + n of `input` [2 n, features] are two
 * views of one sample.
 * Source: Chen et al. 2020, equation 1 and algorithm 1
 */
export function ntXentLoss(input: Tensor, options: NtXentOptions = {}): Tensor {
  const partners = ntXentPartners(input.shape[0] as number, input.device);
  return crossEntropy(ntXentLogits(input, options), partners);
}
