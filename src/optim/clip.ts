/** Limits on gradients before a step. */
import { zeros } from '../torch/create.js';
import { ArgumentError, TorchError } from '../torch/errors.js';
import { native } from '../torch/load.js';
import type { Handle } from '../torch/native.js';
import { Tensor } from '../torch/tensor.js';
import { ListOperator, withoutTrace } from './engine.js';
import { refuseUnknown, requireNumber } from './options.js';

export interface ClipNormOptions {
  /** Order of the norm: 2 (the default) for the length, Infinity for the largest element. */
  readonly normType?: number;
  /** Throw instead of scaling by a norm that is infinite or not a number. Default false. */
  readonly errorIfNonfinite?: boolean;
}

const norms = new ListOperator('_foreach_norm', 'Scalar');
const stack = new ListOperator('stack');
const vectorNorm = new ListOperator('linalg_vector_norm');
const scaleByTensor = new ListOperator('_foreach_mul_', 'Tensor');
const scaleOne = new ListOperator('mul_', 'Tensor');
const limitBelow = new ListOperator('_foreach_clamp_min_', 'Scalar');
const limitAbove = new ListOperator('_foreach_clamp_max_', 'Scalar');
const limitOne = new ListOperator('clamp_');

function gradientsOf(parameters: Tensor | Iterable<Tensor>, title: string): Handle[] {
  const found: Handle[] = [];
  for (const parameter of parameters instanceof Tensor ? [parameters] : parameters) {
    if (!(parameter instanceof Tensor))
      throw new ArgumentError(`${title}: each parameter must be a Tensor, got ${typeof parameter}.`);
    const gradient = native.getGrad(parameter.handle);
    if (gradient !== null) found.push(gradient);
  }
  return found;
}

/** Runs `work` without recording gradients and frees what it made, except the tensor it returns. */
function keepingOne(work: () => Tensor): Tensor {
  const before = native.setGradEnabled(false);
  const mark = native.scopeMark();
  const kept: Handle[] = [];
  try {
    const result = work();
    kept.push(result.handle);
    return result;
  } finally {
    native.scopeClose(mark, kept);
    native.setGradEnabled(before);
  }
}

let onlyCpu: boolean | undefined;

/** Lists of gradients that are on one device. */
function byDevice(gradients: readonly Handle[]): Map<string, Handle[]> {
  onlyCpu ??= !['cuda', 'mps', 'xpu'].some((type) => native.deviceCount(type) > 0);
  if (onlyCpu) return new Map([['cpu', [...gradients]]]);
  const lists = new Map<string, Handle[]>();
  for (const gradient of gradients) {
    const device = native.device(gradient);
    const list = lists.get(device);
    if (list === undefined) lists.set(device, [gradient]);
    else list.push(gradient);
  }
  return lists;
}

/** The norm of all gradients together, as if they were one vector. */
function totalNorm(lists: ReadonlyMap<string, readonly Handle[]>, order: number): Tensor {
  const home = lists.keys().next().value;
  if (home === undefined) return zeros([]);
  const each: Handle[] = [];
  for (const [device, list] of lists)
    for (const norm of norms.call(list, order) as Handle[])
      each.push(device === home ? norm : new Tensor(norm).to(home).handle);
  return new Tensor(vectorNorm.call(stack.call(each), order) as Handle);
}

/**
 * Scales all gradients together so that their common norm is at most `maxNorm`; the direction of the step stays. Returns the norm
 * before clipping, which is worth logging: clipping in more than half of the steps means that the rate is too high.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 * @throws TorchError when the norm is not finite and `errorIfNonfinite` is set; the gradients are unchanged then
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipNormOptions = {},
): Tensor {
  const title = 'clipGradNorm_()';
  refuseUnknown(title, options, ['normType', 'errorIfNonfinite']);
  const { normType = 2, errorIfNonfinite = false } = options;
  if (typeof maxNorm !== 'number' || !(maxNorm >= 0))
    throw new ArgumentError(`${title}: maxNorm must be a number, at least 0; got ${String(maxNorm)}.`);
  if (typeof normType !== 'number' || Number.isNaN(normType))
    throw new ArgumentError(`${title}: normType must be a number or Infinity, got ${String(normType)}.`);
  return keepingOne(() => {
    const lists = byDevice(gradientsOf(parameters, title));
    if (lists.get('cpu')?.length === 0) lists.delete('cpu');
    const total = totalNorm(lists, normType);
    if (errorIfNonfinite && !Number.isFinite(total.item()))
      throw new TorchError(
        `${title}: the norm of the gradients is ${total.item()}, so they cannot be clipped; look for a loss that overflowed, or lower the learning rate.`,
      );
    // At most 1, and multiplied always, so that no value has to come from the device to decide.
    const factor = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
    for (const [device, list] of lists) {
      const there = factor.to(device);
      if (scaleByTensor.exists) scaleByTensor.call(list, there.handle);
      else for (const gradient of list) scaleOne.call(gradient, there.handle);
    }
    return total;
  });
}

/**
 * Cuts every element of every gradient to between `-clipValue` and `clipValue`. Changes the direction of the step, unlike clipping
 * by norm.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  const title = 'clipGradValue_()';
  requireNumber(title, 'clipValue', clipValue, { atLeast: 0 });
  withoutTrace(() => {
    const gradients = gradientsOf(parameters, title);
    if (gradients.length === 0) return;
    if (limitBelow.exists) {
      limitBelow.call(gradients, -clipValue);
      limitAbove.call(gradients, clipValue);
    } else for (const gradient of gradients) limitOne.call(gradient, -clipValue, clipValue);
  });
}
