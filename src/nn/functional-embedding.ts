/** Tables of vectors, and distances between them. Source: https://docs.pytorch.org/docs/stable/nn.functional.html#sparse-functions */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { operator } from './operators.js';

const ops = {
  embedding: operator('embedding'),
  renorm: operator('embedding_renorm_'),
  bag: operator('embedding_bag'),
  oneHot: operator('one_hot'),
  cosine: operator('cosine_similarity'),
  distance: operator('pairwise_distance'),
};

function requireIntegers(indices: Tensor, title: string): void {
  if (indices.isFloatingPoint())
    throw new ArgumentError(
      `${title}(): the indices are ${indices.dtype}; make them integers: indices.long(), or torch.tensor([…], { dtype: 'int64' }).`,
    );
}

export interface EmbeddingOptions {
  /** This row gets no gradient; negative counts from the end. */
  readonly paddingIdx?: number | null;
  /** Rows longer than this are shortened in the table itself. */
  readonly maxNorm?: number | null;
  /** The p of that length, default 2. */
  readonly normType?: number;
  /** Divide gradients by how often a row occurs in the batch. */
  readonly scaleGradByFreq?: boolean;
  /** Make the table's gradient a sparse tensor. */
  readonly sparse?: boolean;
}

/** The row's place counted from the front. */
export function paddingRow(paddingIdx: number, rows: number, title: string): number {
  if (paddingIdx >= rows || paddingIdx < -rows)
    throw new ArgumentError(`${title}(): paddingIdx ${paddingIdx} is not a row of a table of ${rows}.`);
  return paddingIdx < 0 ? rows + paddingIdx : paddingIdx;
}

/** Rows of `weight` [rows, size] by integer indices of any shape: [*, size]. */
export function embedding(indices: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  requireIntegers(indices, 'embedding');
  const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false, sparse = false } = options;
  const padding = paddingIdx === null ? -1 : paddingRow(paddingIdx, weight.size(0), 'embedding');
  if (maxNorm !== null) torch.noGrad(() => ops.renorm(weight, indices.contiguous(), maxNorm, normType));
  return ops.embedding(weight, indices, padding, scaleGradByFreq, sparse);
}

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** Where each bag starts in one-dimensional indices; not for two-dimensional ones, whose rows are the bags. */
  readonly offsets?: Tensor | null;
  /** How a bag is reduced, default `mean`. */
  readonly mode?: 'sum' | 'mean' | 'max';
  /** Factor for each index; with `sum` only. */
  readonly perSampleWeights?: Tensor | null;
  /** The last offset is the end of the last bag. */
  readonly includeLastOffset?: boolean;
}

/** Sums, means or maxima of bags of rows: [bags, size]. */
export function embeddingBag(indices: Tensor, weight: Tensor, options: EmbeddingBagOptions = {}): Tensor {
  requireIntegers(indices, 'embeddingBag');
  const { mode = 'mean', maxNorm = null, normType = 2, scaleGradByFreq = false, sparse = false } = options;
  let { offsets = null, perSampleWeights = null, includeLastOffset = false } = options;
  const modeCode = ['sum', 'mean', 'max'].indexOf(mode);
  if (modeCode < 0) throw new ArgumentError(`embeddingBag(): mode must be sum, mean or max, got '${mode}'.`);
  if (perSampleWeights !== null && mode !== 'sum')
    throw new ArgumentError(`embeddingBag(): perSampleWeights work with mode 'sum' only, got '${mode}'.`);
  if (mode === 'max' && (scaleGradByFreq || sparse))
    throw new ArgumentError("embeddingBag(): mode 'max' works without scaleGradByFreq and sparse only.");
  let flat = indices;
  if (indices.ndim === 2) {
    if (offsets !== null)
      throw new ArgumentError('embeddingBag(): two-dimensional indices are bags already; leave out the offsets.');
    offsets = torch.arange(0, indices.numel(), indices.size(1), { dtype: indices.dtype, device: indices.device });
    flat = indices.reshape([-1]);
    perSampleWeights = perSampleWeights?.reshape([-1]) ?? null;
    includeLastOffset = false;
  } else if (indices.ndim !== 1 || offsets === null || offsets.ndim !== 1)
    throw new ArgumentError('embeddingBag(): give indices of two dimensions, or of one with one-dimensional offsets.');
  if (maxNorm !== null) {
    const rows = flat;
    torch.noGrad(() => ops.renorm(weight, rows.contiguous(), maxNorm, normType));
  }
  const { paddingIdx = null } = options;
  const padding = paddingIdx === null ? null : paddingRow(paddingIdx, weight.size(0), 'embeddingBag');
  const [bags] = torch.ops.aten.embedding_bag.padding_idx(
    weight,
    flat,
    offsets,
    scaleGradByFreq,
    modeCode,
    sparse,
    perSampleWeights,
    includeLastOffset,
    padding,
  );
  return bags;
}

/** Class numbers (integers) as vectors with a single 1: [*, classes]. */
export function oneHot(indices: Tensor, numClasses = -1): Tensor {
  requireIntegers(indices, 'oneHot');
  return ops.oneHot(indices, numClasses);
}

/** Cosine of the angle between vectors along `dim`. */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  options: { readonly dim?: number; readonly eps?: number } = {},
): Tensor {
  return ops.cosine(a, b, options.dim ?? 1, options.eps ?? 1e-8);
}

/** p-norm of the difference of vectors along the last dimension. */
export function pairwiseDistance(
  a: Tensor,
  b: Tensor,
  options: { readonly p?: number; readonly eps?: number; readonly keepdim?: boolean } = {},
): Tensor {
  return ops.distance(a, b, options.p ?? 2, options.eps ?? 1e-6, options.keepdim ?? false);
}
