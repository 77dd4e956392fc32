/** Tables of vectors. Source: https://docs.pytorch.org/docs/stable/nn.html#sparse-layers */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import * as F from '../functional-embedding.js';
import { normal_ } from '../init.js';
import { Module } from '../module.js';
import { float, quoted } from '../module-print.js';
import { Parameter } from '../parameter.js';
import { emptyParameter, type FactoryOptions, requireCount } from './factory.js';

export interface EmbeddingLayerOptions extends FactoryOptions, F.EmbeddingOptions {}

/** What both tables share. */
abstract class EmbeddingTable<Inputs extends readonly unknown[]> extends Module<Inputs> {
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly sparse: boolean;
  weight: Parameter;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: EmbeddingLayerOptions,
  ) {
    super();
    const title = new.target.name;
    requireCount(numEmbeddings, 'numEmbeddings', title, 0);
    requireCount(embeddingDim, 'embeddingDim', title, 0);
    const { paddingIdx = null } = options;
    this.paddingIdx = paddingIdx === null ? null : F.paddingRow(paddingIdx, numEmbeddings, title);
    this.maxNorm = options.maxNorm ?? null;
    this.normType = options.normType ?? 2;
    this.scaleGradByFreq = options.scaleGradByFreq ?? false;
    this.sparse = options.sparse ?? false;
    this.weight = emptyParameter([numEmbeddings, embeddingDim], options);
    this.resetParameters();
  }

  /** Draws the table anew from the normal distribution; the padding row becomes zero. */
  resetParameters(): void {
    normal_(this.weight);
    const row = this.paddingIdx;
    if (row !== null) torch.noGrad(() => this.weight.select(0, row).zero_());
  }
}

function requireTable(embeddings: Tensor): [number, number] {
  if (embeddings.ndim !== 2)
    throw new ArgumentError(
      `fromPretrained(): the table must have 2 dimensions, got [${embeddings.shape.join(', ')}].`,
    );
  return embeddings.shape as [number, number];
}

/** Rows of a learnt table by integer indices: [*] → [*, embeddingDim]. */
export class Embedding extends EmbeddingTable<[Tensor]> {
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super(numEmbeddings, embeddingDim, options);
  }

  /** A layer over a given table [rows, size], not learnt unless `freeze` is false. */
  static fromPretrained(
    embeddings: Tensor,
    options: EmbeddingLayerOptions & { readonly freeze?: boolean } = {},
  ): Embedding {
    const [rows, size] = requireTable(embeddings);
    // Made on the meta device, so that no random numbers are drawn for a table that is replaced.
    const layer = new Embedding(rows, size, { ...options, device: 'meta' });
    layer.weight = new Parameter(embeddings, { requiresGrad: options.freeze === false });
    return layer;
  }

  override forward(indices: Tensor): Tensor {
    return F.embedding(indices, this.weight, this);
  }

  override extraRepr(): string {
    return [
      `${this.numEmbeddings}, ${this.embeddingDim}`,
      this.paddingIdx === null ? '' : `, padding_idx=${this.paddingIdx}`,
      this.maxNorm === null ? '' : `, max_norm=${float(this.maxNorm)}`,
      this.normType === 2 ? '' : `, norm_type=${float(this.normType)}`,
      this.scaleGradByFreq ? ', scale_grad_by_freq=True' : '',
      this.sparse ? ', sparse=True' : '',
    ].join('');
  }
}

export interface EmbeddingBagLayerOptions
  extends EmbeddingLayerOptions,
    Pick<F.EmbeddingBagOptions, 'mode' | 'includeLastOffset'> {}

/** Sums, means or maxima of bags of rows: indices [bags, length], or [*] with offsets [bags] → [bags, embeddingDim]. */
export class EmbeddingBag extends EmbeddingTable<
  [indices: Tensor, offsets?: Tensor | null, perSampleWeights?: Tensor | null]
> {
  readonly mode: 'sum' | 'mean' | 'max';
  readonly includeLastOffset: boolean;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}) {
    super(numEmbeddings, embeddingDim, options);
    this.mode = options.mode ?? 'mean';
    this.includeLastOffset = options.includeLastOffset ?? false;
  }

  /** A layer over a given table [rows, size], not learnt unless `freeze` is false. */
  static fromPretrained(
    embeddings: Tensor,
    options: EmbeddingBagLayerOptions & { readonly freeze?: boolean } = {},
  ): EmbeddingBag {
    const [rows, size] = requireTable(embeddings);
    const layer = new EmbeddingBag(rows, size, { ...options, device: 'meta' });
    layer.weight = new Parameter(embeddings, { requiresGrad: options.freeze === false });
    return layer;
  }

  override forward(indices: Tensor, offsets: Tensor | null = null, perSampleWeights: Tensor | null = null): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse, mode, includeLastOffset } = this;
    return F.embeddingBag(indices, this.weight, {
      offsets,
      perSampleWeights,
      paddingIdx,
      maxNorm,
      normType,
      scaleGradByFreq,
      sparse,
      mode,
      includeLastOffset,
    });
  }

  override extraRepr(): string {
    return [
      `${this.numEmbeddings}, ${this.embeddingDim}`,
      this.maxNorm === null ? '' : `, max_norm=${float(this.maxNorm)}`,
      this.normType === 2 ? '' : `, norm_type=${float(this.normType)}`,
      this.scaleGradByFreq ? ', scale_grad_by_freq=True' : '',
      `, mode=${quoted(this.mode)}`,
      this.paddingIdx === null ? '' : `, padding_idx=${this.paddingIdx}`,
    ].join('');
  }
}
