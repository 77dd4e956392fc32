/** Distances as modules. Source: https://docs.pytorch.org/docs/stable/nn.html#distance-functions */
import type { Tensor } from '../../torch/index.js';
import { cosineSimilarity, pairwiseDistance } from '../functional-embedding.js';
import { Module } from '../module.js';

/** Cosine of the angle between vectors along `dim` (1). */
export class CosineSimilarity extends Module<[a: Tensor, b: Tensor]> {
  readonly dim: number;
  readonly eps: number;

  constructor(options: { readonly dim?: number; readonly eps?: number } = {}) {
    super();
    this.dim = options.dim ?? 1;
    this.eps = options.eps ?? 1e-8;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return cosineSimilarity(a, b, this);
  }
}

/** p-norm (2) of the difference of vectors along the last dimension. */
export class PairwiseDistance extends Module<[a: Tensor, b: Tensor]> {
  readonly p: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options: { readonly p?: number; readonly eps?: number; readonly keepdim?: boolean } = {}) {
    super();
    this.p = options.p ?? 2;
    this.eps = options.eps ?? 1e-6;
    this.keepdim = options.keepdim ?? false;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return pairwiseDistance(a, b, this);
  }
}
