/** Attention. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { linear } from './functional-convolution.js';
import { dropout } from './functional-dropout.js';
import { pad } from './functional-vision.js';
import { operator } from './operators.js';

const fused = operator('scaled_dot_product_attention');
let hasFused: boolean | undefined;
const engineIsFused = (): boolean => {
  hasFused ??= torch.hasOperator('scaled_dot_product_attention');
  return hasFused;
};

export interface AttentionOptions {
  /** True where a query may look at a key, or numbers added to the scores; broadcast to [batch, heads, queries, keys]. */
  readonly attnMask?: Tensor | null;
  /** Dropout of the weights, default 0. It is applied whenever it is above 0: pass 0 when evaluating. */
  readonly dropoutP?: number;
  /** A query sees the keys up to its own position only. */
  readonly isCausal?: boolean;
  /** Factor on the scores, default 1 / √size. */
  readonly scale?: number | null;
}

/**
 * softmax(query · keyᵀ · scale + mask) · value: query [batch, heads, queries, size], key and value [batch, heads, keys, size].
 * Fused in the engine from 2.0 on, composed of single operators before.
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { attnMask = null, dropoutP = 0, isCausal = false, scale = null } = options;
  if (engineIsFused())
    return scale === null
      ? fused(query, key, value, attnMask, dropoutP, isCausal)
      : fused(query, key, value, attnMask, dropoutP, isCausal, { scale });
  if (isCausal && attnMask !== null)
    throw new ArgumentError('scaledDotProductAttention(): give either attnMask or isCausal.');
  // The root on both sides, as the engine does, loses less in half types than the whole factor on one.
  const root = Math.sqrt(scale ?? 1 / Math.sqrt(query.size(-1)));
  const scores = query.mul(root).matmul(key.transpose(-2, -1).mul(root));
  const mask = isCausal
    ? torch.ones([query.size(-2), key.size(-2)], { dtype: 'bool', device: query.device }).tril()
    : attnMask;
  let masked = scores;
  if (mask !== null)
    masked = mask.dtype === 'bool' ? scores.maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY) : scores.add(mask);
  const weights = masked.softmax(-1);
  return (dropoutP > 0 ? dropout(weights, { p: dropoutP }) : weights).matmul(value);
}

/** The parameters of multi-head attention. */
export interface MultiHeadWeights {
  readonly inProjWeight: Tensor | null;
  readonly inProjBias: Tensor | null;
  readonly qProjWeight: Tensor | null;
  readonly kProjWeight: Tensor | null;
  readonly vProjWeight: Tensor | null;
  readonly biasK: Tensor | null;
  readonly biasV: Tensor | null;
  readonly outProjWeight: Tensor;
  readonly outProjBias: Tensor | null;
}

export interface MultiHeadOptions {
  readonly numHeads: number;
  readonly addZeroAttn?: boolean;
  readonly dropoutP?: number;
  readonly training?: boolean;
  /** True where a key is to be ignored, or numbers added to its scores: [batch, keys]. */
  readonly keyPaddingMask?: Tensor | null;
  /** True where a query must not look at a key, or numbers added: [queries, keys] or [batch · heads, queries, keys]. */
  readonly attnMask?: Tensor | null;
  /** Also give the weights; the fused operator cannot. Default true. */
  readonly needWeights?: boolean;
  /** Mean of the heads' weights, default true. */
  readonly averageAttnWeights?: boolean;
  /** Says that `attnMask` is the causal one, so that the fused operator needs no mask. */
  readonly isCausal?: boolean;
}

/** Masks as numbers to add: −∞ where a boolean one is true. */
function additive(mask: Tensor | null, like: Tensor, name: string): Tensor | null {
  if (mask === null || mask.isFloatingPoint()) return mask;
  if (mask.dtype !== 'bool')
    throw new ArgumentError(`multiHeadAttention(): ${name} must be boolean or floating-point, got ${mask.dtype}.`);
  return torch
    .zeros(mask.shape, { dtype: like.dtype, device: mask.device })
    .maskedFill_(mask, Number.NEGATIVE_INFINITY);
}

/** Query, key and value after their linear maps; one product where all or two of them come from the same tensor. */
function project(query: Tensor, key: Tensor, value: Tensor, weights: MultiHeadWeights): [Tensor, Tensor, Tensor] {
  const { inProjWeight, inProjBias, qProjWeight, kProjWeight, vProjWeight } = weights;
  const size = query.size(-1);
  const parts = (bias: Tensor | null): (Tensor | null)[] => (bias === null ? [null, null, null] : bias.chunk(3));
  if (inProjWeight === null) {
    const [bq = null, bk = null, bv = null] = parts(inProjBias);
    const [wq, wk, wv] = [qProjWeight, kProjWeight, vProjWeight] as [Tensor, Tensor, Tensor];
    return [linear(query, wq, bq), linear(key, wk, bk), linear(value, wv, bv)];
  }
  const together = (x: Tensor, weight: Tensor, bias: Tensor | null, count: number): Tensor =>
    linear(x, weight, bias).unflatten(-1, [count, size]).permute(2, 0, 1, 3).contiguous();
  if (key === value && query === key) {
    const all = together(query, inProjWeight, inProjBias, 3);
    return [all.select(0, 0), all.select(0, 1), all.select(0, 2)];
  }
  if (key === value) {
    const [wq, wkv] = inProjWeight.split([size, 2 * size]) as [Tensor, Tensor];
    const [bq, bkv] = (inProjBias === null ? [null, null] : inProjBias.split([size, 2 * size])) as (Tensor | null)[];
    const both = together(key, wkv, bkv ?? null, 2);
    return [linear(query, wq, bq ?? null), both.select(0, 0), both.select(0, 1)];
  }
  const [wq, wk, wv] = inProjWeight.chunk(3) as [Tensor, Tensor, Tensor];
  const [bq = null, bk = null, bv = null] = parts(inProjBias);
  return [linear(query, wq, bq), linear(key, wk, bk), linear(value, wv, bv)];
}

function requireShapes(query: Tensor, key: Tensor, value: Tensor, weights: MultiHeadWeights, heads: number): void {
  const text = (x: Tensor): string => `[${x.shape.join(', ')}]`;
  if (query.ndim !== 3 || key.ndim !== 3 || value.ndim !== 3)
    throw new ArgumentError(
      `multiHeadAttention(): query, key and value must all have 3 dimensions (or all 2, without batch), got ${text(query)}, ${text(key)}, ${text(value)}.`,
    );
  if (query.size(-1) % heads !== 0)
    throw new ArgumentError(`multiHeadAttention(): ${query.size(-1)} features cannot be split into ${heads} heads.`);
  const [length, batch] = [key.size(0), key.size(1)];
  if (value.size(0) !== length || value.size(1) !== batch || query.size(1) !== batch)
    throw new ArgumentError(
      `multiHeadAttention(): query ${text(query)}, key ${text(key)} and value ${text(value)} (length, batch, features) do not fit each other.`,
    );
  const expected = weights.outProjWeight.size(1);
  if (query.size(-1) !== expected)
    throw new ArgumentError(`multiHeadAttention(): the query has ${query.size(-1)} features, expected ${expected}.`);
}

/** The attention mask with its first dimension made 1 or batch · heads. */
function shapedMask(mask: Tensor, queries: number, keys: number, both: number): Tensor {
  const wide = mask.ndim === 2 ? mask.unsqueeze(0) : mask;
  const [first, rows, columns] = wide.shape;
  if (wide.ndim !== 3 || rows !== queries || columns !== keys || (mask.ndim === 3 && first !== both))
    throw new ArgumentError(
      `multiHeadAttention(): attnMask must have shape [${queries}, ${keys}] or [${both}, ${queries}, ${keys}] (batch · heads first), got [${mask.shape.join(', ')}].`,
    );
  return wide;
}

/**
 * Multi-head attention, sequence first: query [queries, batch, features], key and value [keys, batch, features].
 * Gives the output [queries, batch, features] and, when asked for, the weights [batch, (heads,) queries, keys].
 * Source: Vaswani et al. 2017; PyTorch's `multi_head_attention_forward`, step by step.
 */
export function multiHeadAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  weights: MultiHeadWeights,
  options: MultiHeadOptions,
): [Tensor, Tensor | null] {
  const { numHeads, addZeroAttn = false, training = true, needWeights = true, averageAttnWeights = true } = options;
  if (query.ndim === 2 && key.ndim === 2 && value.ndim === 2) {
    const batched = key === query ? query.unsqueeze(1) : undefined;
    const one = batched ?? query.unsqueeze(1);
    const keys = batched ?? key.unsqueeze(1);
    const values = value === key ? keys : value.unsqueeze(1);
    const keyPaddingMask = options.keyPaddingMask?.unsqueeze(0) ?? null;
    const [output, scores] = multiHeadAttention(one, keys, values, weights, { ...options, keyPaddingMask });
    return [output.squeeze(1), scores?.squeeze(0) ?? null];
  }
  requireShapes(query, key, value, weights, numHeads);
  const [queries, batch, features] = query.shape as [number, number, number];
  const headSize = features / numHeads;
  const both = batch * numHeads;
  let padding = additive(options.keyPaddingMask ?? null, query, 'keyPaddingMask');
  let { isCausal = false, attnMask: mask = null } = options;
  if (isCausal && mask === null)
    throw new ArgumentError('multiHeadAttention(): isCausal is a hint about attnMask; give the mask too.');
  // Single operators where the weights are wanted, and in engines without the fused one (as PyTorch 1.13 does).
  const single = needWeights || !engineIsFused();
  if (isCausal && padding === null && !single) mask = null;
  else {
    mask = additive(mask, query, 'attnMask');
    if (padding !== null || mask !== null) isCausal = false;
  }
  let [q, k, v] = project(query, key, value, weights);
  if (mask !== null) mask = shapedMask(mask, queries, key.size(0), both);
  if (weights.biasK !== null && weights.biasV !== null) {
    k = torch.cat([k, weights.biasK.repeat([1, batch, 1])]);
    v = torch.cat([v, weights.biasV.repeat([1, batch, 1])]);
    if (mask !== null) mask = pad(mask, [0, 1]);
    if (padding !== null) padding = pad(padding, [0, 1]);
  }
  q = q.view([queries, both, headSize]).transpose(0, 1);
  k = k.view([k.size(0), both, headSize]).transpose(0, 1);
  v = v.view([v.size(0), both, headSize]).transpose(0, 1);
  if (addZeroAttn) {
    const zeros = torch.zeros([both, 1, headSize], { dtype: k.dtype, device: k.device });
    k = torch.cat([k, zeros], 1);
    v = torch.cat([v, zeros], 1);
    if (mask !== null) mask = pad(mask, [0, 1]);
    if (padding !== null) padding = pad(padding, [0, 1]);
  }
  const keys = k.size(1);
  if (padding !== null) {
    const wide = padding.view([batch, 1, 1, keys]).expand([-1, numHeads, -1, -1]).reshape([both, 1, keys]);
    mask = mask === null ? wide : mask.add(wide);
  }
  const p = training ? (options.dropoutP ?? 0) : 0;
  if (single) {
    const scaled = q.mul(Math.sqrt(1 / headSize));
    const turned = k.transpose(-2, -1);
    const scores = (mask === null ? scaled.bmm(turned) : torch.baddbmm(mask, scaled, turned)).softmax(-1);
    const kept = p > 0 ? dropout(scores, { p }) : scores;
    const joined = kept
      .bmm(v)
      .transpose(0, 1)
      .reshape([queries * batch, features]);
    const output = linear(joined, weights.outProjWeight, weights.outProjBias).view([queries, batch, -1]);
    if (!needWeights) return [output, null];
    const perHead = kept.view([batch, numHeads, queries, keys]);
    return [output, averageAttnWeights ? perHead.mean(1) : perHead];
  }
  let wideMask = mask;
  if (wideMask !== null)
    wideMask = wideMask.size(0) === 1 ? wideMask.unsqueeze(0) : wideMask.view([batch, numHeads, -1, keys]);
  const attended = scaledDotProductAttention(
    q.view([batch, numHeads, queries, headSize]),
    k.view([batch, numHeads, keys, headSize]),
    v.view([batch, numHeads, keys, headSize]),
    { attnMask: wideMask, dropoutP: p, isCausal },
  );
  const joined = attended.permute(2, 0, 1, 3).reshape([batch * queries, features]);
  return [linear(joined, weights.outProjWeight, weights.outProjBias).view([queries, batch, -1]), null];
}
