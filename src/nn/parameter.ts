/** Tensors that belong to a module: the ones it learns and the ones it only keeps. */
import { callNamed } from '../torch/dispatch.js';
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import { native } from '../torch/load.js';
import type { Handle } from '../torch/native.js';

/** A second handle to the memory of `data`, without its history; the caller owns it. */
function detachedHandle(data: unknown, title: string): Handle {
  if (!(data instanceof Tensor))
    throw new ArgumentError(`${title} needs a Tensor, got ${data === null ? 'null' : typeof data}.`);
  const detached = data.detach();
  const handle = native.alias(detached.handle);
  detached.dispose();
  return handle;
}

export interface ParameterOptions {
  /** Whether it is learnt. Default true. */
  readonly requiresGrad?: boolean;
}

/**
 * A tensor that a module learns. A field of a module that holds one is found by `parameters()` and saved by `stateDict()`.
 * It shares the memory of `data`.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
 */
export class Parameter extends Tensor {
  constructor(data: Tensor, options: ParameterOptions = {}) {
    super(detachedHandle(data, 'new Parameter()'));
    if (options.requiresGrad !== false) this.requiresGrad_(true);
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

export interface BufferOptions {
  /** Whether `stateDict()` saves it. Default true. */
  readonly persistent?: boolean;
}

/**
 * A tensor that a module keeps and moves but does not learn, such as a running mean: `this.table = new nn.Buffer(tensor)`.
 * It shares the memory of `data`. A field that is assigned anew with plain tensors is better named with `registerBuffer`.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
 */
export class Buffer extends Tensor {
  readonly persistent: boolean;

  constructor(data: Tensor, options: BufferOptions = {}) {
    super(detachedHandle(data, 'new Buffer()'));
    this.persistent = options.persistent ?? true;
  }
}

/**
 * Gives `target` the memory, type and device of `source`; whoever holds `target` sees the change, as with `tensor.data = …` in Python.
 * Between kinds of tensor that the engine cannot exchange (to and from `meta`) the object gets another tensor, without a gradient.
 */
export function setData(target: Tensor, source: Tensor): void {
  if (callNamed('_has_compatible_shallow_copy_type', target, source) === true) {
    torch.noGrad(() => callNamed('set_data', target, source));
    return;
  }
  const learns = target.requiresGrad;
  const handle = detachedHandle(source, 'setData()');
  target.dispose();
  target.handle = handle;
  native.adopt(target, handle);
  target.requiresGrad_(learns);
}
