/** The truncated normal distribution, as PyTorch samples it. */
import { ArgumentError, type Generator, Tensor, torch } from '../torch/index.js';

export interface TruncatedNormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation before cutting, default 1. */
  readonly std?: number;
  /** Lowest value, default −2: a value, not a number of deviations. */
  readonly a?: number;
  /** Highest value, default 2. */
  readonly b?: number;
  /**
   * `rejection` (default) draws again what falls outside, PyTorch 2.13's way; `inverse` sends uniform numbers through the inverse
   * distribution, as PyTorch did before: for the numbers of old runs.
   */
  readonly method?: 'rejection' | 'inverse';
  readonly generator?: Generator;
}

interface Cut {
  readonly mean: number;
  readonly std: number;
  readonly a: number;
  readonly b: number;
  readonly stream: { generator?: Generator };
}

/** Share of the standard normal distribution below x. */
const normalShare = (x: number): number =>
  (1 +
    torch
      .tensor(x / Math.sqrt(2), { dtype: 'float64', device: 'cpu' })
      .erf()
      .item()) /
  2;

/** A bound as the tensor's element type can hold it, so that nothing kept lies outside by rounding. */
const held = (value: number, tensor: Tensor): number =>
  torch.tensor(value, { dtype: tensor.dtype, device: 'cpu' }).item();

const isAny = (mask: Tensor): boolean => Boolean(mask.any().item());

/** Most normal numbers fall inside: draw normal numbers, and again those outside. */
function redraw(tensor: Tensor, { mean, std, a, b, stream }: Cut): void {
  const low = held(a, tensor);
  const high = held(b, tensor);
  let result = tensor.normal_(mean, std, stream);
  for (;;) {
    const outside = result.lt(low).logicalOr(result.gt(high));
    if (!isAny(outside)) break;
    result = torch.where(outside, torch.emptyLike(result).normal_(mean, std, stream), result);
  }
  if (result !== tensor) tensor.copy_(result);
}

/** Few fall inside (the cut lies in a tail): draw uniformly between the bounds, keep each with the density's probability. */
function accept(tensor: Tensor, { mean, std, a, b, stream }: Cut): void {
  const mode = Math.max(a, Math.min(mean, b));
  const logPeak = -0.5 * ((mode - mean) / std) ** 2;
  const candidates = torch.emptyLike(tensor);
  const draws = torch.emptyLike(tensor);
  const refused = (): Tensor => {
    candidates.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(logPeak);
    return draws.uniform_(0, 1, stream).log_().gt(candidates);
  };
  tensor.uniform_(a, b, stream);
  candidates.copy_(tensor);
  let pending = refused();
  let result = tensor;
  while (isAny(pending)) {
    candidates.uniform_(a, b, stream);
    result = torch.where(pending, candidates, result);
    pending = torch.where(pending, refused(), pending);
  }
  if (result !== tensor) tensor.copy_(result);
}

function invert(tensor: Tensor, { mean, std, a, b, stream }: Cut): void {
  const low = normalShare((a - mean) / std);
  const high = normalShare((b - mean) / std);
  tensor.uniform_(2 * low - 1, 2 * high - 1, stream).erfinv_();
  tensor
    .mul_(std * Math.sqrt(2))
    .add_(mean)
    .clamp_(a, b);
}

/**
 * Fills from the normal distribution cut to [a, b]. Best with a ≤ mean ≤ b.
 * Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
 * @throws ArgumentError when the bounds are the wrong way round or the deviation is not positive
 */
export function truncNormal_(tensor: Tensor, options: TruncatedNormalOptions = {}): Tensor {
  const { mean = 0, std = 1, a = -2, b = 2, method = 'rejection', generator } = options;
  if (!(tensor instanceof Tensor))
    throw new ArgumentError(`truncNormal_(): the first argument must be a Tensor, got ${typeof tensor}.`);
  if (!(std > 0 && a < b && Number.isFinite(mean)))
    throw new ArgumentError(
      `truncNormal_(): needs a finite mean, a deviation above 0 and a < b, got mean ${mean}, std ${std}, a ${a}, b ${b}.`,
    );
  if (tensor.device === 'meta' || tensor.numel() === 0) return tensor;
  const cut: Cut = { mean, std, a, b, stream: generator === undefined ? {} : { generator } };
  torch.noGrad(() => {
    if (method === 'inverse') invert(tensor, cut);
    else if (normalShare((b - mean) / std) - normalShare((a - mean) / std) > 0.3) redraw(tensor, cut);
    else accept(tensor, cut);
  });
  return tensor;
}
