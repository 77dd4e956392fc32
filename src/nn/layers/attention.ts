/** Multi-head attention. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html */
import { ArgumentError, type Tensor } from '../../torch/index.js';
import { multiHeadAttention } from '../functional-attention.js';
import { xavierNormal_, xavierUniform_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions, requireCount } from './factory.js';
import { Linear } from './linear.js';

/** The last linear map of attention; PyTorch prints it by this name. */
class NonDynamicallyQuantizableLinear extends Linear {}

export interface MultiheadAttentionOptions extends FactoryOptions {
  /** Share of attention weights dropped in training, default 0. */
  readonly dropout?: number;
  /** Learn biases, default true. */
  readonly bias?: boolean;
  /** Learn one more key and value for all sequences. */
  readonly addBiasKv?: boolean;
  /** Add a key and value of zeros. */
  readonly addZeroAttn?: boolean;
  /** Features of the keys, default embedDim. */
  readonly kdim?: number;
  /** Features of the values, default embedDim. */
  readonly vdim?: number;
  /** Tensors are [batch, length, features] instead of [length, batch, features]. */
  readonly batchFirst?: boolean;
}

export interface AttentionForwardOptions {
  /** True where a key is to be ignored, or numbers added to its scores: [batch, keys], or [keys]. */
  readonly keyPaddingMask?: Tensor | null;
  /** Also give the attention weights; without them the fused operator is used. Default true, as in PyTorch. */
  readonly needWeights?: boolean;
  /** True where a query must not look at a key, or numbers added: [queries, keys] or [batch · heads, queries, keys]. */
  readonly attnMask?: Tensor | null;
  /** Mean of the heads' weights, default true. */
  readonly averageAttnWeights?: boolean;
  /** Says that `attnMask` is the causal one. */
  readonly isCausal?: boolean;
}

/**
 * Multi-head attention: gives the output and, unless `needWeights` is false, the attention weights.
 * Parameters and numbers are PyTorch's; its inference-only fast path is not taken. Source: Vaswani et al. 2017.
 */
export class MultiheadAttention extends Module<
  [query: Tensor, key: Tensor, value: Tensor, options?: AttentionForwardOptions],
  [output: Tensor, weights: Tensor | null]
> {
  static override readonly stateNames = {
    qProjWeight: 'q_proj_weight',
    kProjWeight: 'k_proj_weight',
    vProjWeight: 'v_proj_weight',
    inProjWeight: 'in_proj_weight',
    inProjBias: 'in_proj_bias',
    outProj: 'out_proj',
    biasK: 'bias_k',
    biasV: 'bias_v',
  };

  readonly kdim: number;
  readonly vdim: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly addZeroAttn: boolean;
  qProjWeight: Parameter | null = null;
  kProjWeight: Parameter | null = null;
  vProjWeight: Parameter | null = null;
  inProjWeight: Parameter | null = null;
  inProjBias: Parameter | null = null;
  biasK: Parameter | null = null;
  biasV: Parameter | null = null;
  readonly outProj: Linear;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super();
    requireCount(embedDim, 'embedDim', 'MultiheadAttention');
    requireCount(numHeads, 'numHeads', 'MultiheadAttention');
    if (embedDim % numHeads !== 0)
      throw new ArgumentError(`MultiheadAttention: ${embedDim} features cannot be split into ${numHeads} heads.`);
    const { bias = true, addBiasKv = false } = options;
    this.kdim = options.kdim ?? embedDim;
    this.vdim = options.vdim ?? embedDim;
    this.dropout = options.dropout ?? 0;
    this.batchFirst = options.batchFirst ?? false;
    this.addZeroAttn = options.addZeroAttn ?? false;
    if (this.kdim === embedDim && this.vdim === embedDim)
      this.inProjWeight = emptyParameter([3 * embedDim, embedDim], options);
    else {
      this.qProjWeight = emptyParameter([embedDim, embedDim], options);
      this.kProjWeight = emptyParameter([embedDim, this.kdim], options);
      this.vProjWeight = emptyParameter([embedDim, this.vdim], options);
    }
    if (bias) this.inProjBias = emptyParameter([3 * embedDim], options);
    const { device, dtype } = options;
    this.outProj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, device, dtype });
    if (addBiasKv) {
      this.biasK = emptyParameter([1, 1, embedDim], options);
      this.biasV = emptyParameter([1, 1, embedDim], options);
    }
    this.resetParameters();
  }

  /** Draws the weights of the first linear maps anew (Xavier); biases become zero. */
  resetParameters(): void {
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight])
      if (weight !== null) xavierUniform_(weight);
    if (this.inProjBias !== null) zeros_(this.inProjBias);
    if (this.inProjBias !== null && this.outProj.bias !== null) zeros_(this.outProj.bias);
    for (const bias of [this.biasK, this.biasV]) if (bias !== null) xavierNormal_(bias);
  }

  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionForwardOptions = {},
  ): [Tensor, Tensor | null] {
    const turned = this.batchFirst && query.ndim === 3;
    let [q, k, v] = [query, key, value];
    if (turned) {
      q = query.transpose(1, 0);
      // What was one tensor stays one, so that its projections are one product.
      k = key === query ? q : key.transpose(1, 0);
      v = value === key ? k : value.transpose(1, 0);
    }
    const { inProjWeight, inProjBias, qProjWeight, kProjWeight, vProjWeight, biasK, biasV, outProj } = this;
    const [output, weights] = multiHeadAttention(
      q,
      k,
      v,
      {
        inProjWeight,
        inProjBias,
        qProjWeight,
        kProjWeight,
        vProjWeight,
        biasK,
        biasV,
        outProjWeight: outProj.weight,
        outProjBias: outProj.bias,
      },
      {
        ...options,
        numHeads: this.numHeads,
        addZeroAttn: this.addZeroAttn,
        dropoutP: this.dropout,
        training: this.training,
      },
    );
    return [turned ? output.transpose(1, 0) : output, weights];
  }
}
