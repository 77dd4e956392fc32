/** How the losses of single elements become one. */
import { ArgumentError, type Tensor, torch } from '../torch/index.js';

export type Reduction = 'none' | 'mean' | 'sum';

export interface ReductionOption {
  /** `mean` (default), `sum`, or `none` for the loss of each element. */
  readonly reduction?: Reduction;
}

/** 1 − x. */
export const oneMinus = (x: Tensor): Tensor => torch.rsub(x, 1);

const codes: Readonly<Record<string, number>> = { none: 0, mean: 1, sum: 2 };

/** The engine's number for a reduction. */
export function reductionCode(options: ReductionOption): number {
  const code = codes[options.reduction ?? 'mean'];
  if (code === undefined)
    throw new ArgumentError(`A loss's reduction must be 'mean', 'sum' or 'none', got '${String(options.reduction)}'.`);
  return code;
}

export function reduce(loss: Tensor, options: ReductionOption): Tensor {
  const code = reductionCode(options);
  return code === 1 ? loss.mean() : code === 2 ? loss.sum() : loss;
}

function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Throws unless `other` is shaped as `input`. */
export function requireSameShape(input: Tensor, other: Tensor, name: string): void {
  if (!equalShapes(input.shape, other.shape))
    throw new ArgumentError(
      `The ${name} of a loss must have the shape of the input, [${input.shape.join(', ')}], got [${other.shape.join(', ')}].`,
    );
}

/** Broadcasts unequal shapes, with a warning: it is nearly always a mistake ([64] against [64, 1] becomes [64, 64]). */
export function sameShape(input: Tensor, target: Tensor, title: string): readonly [Tensor, Tensor] {
  const [a, b] = [input.shape, target.shape];
  if (equalShapes(a, b)) return [input, target];
  process.emitWarning(
    `${title}(): the target of shape [${b.join(', ')}] is broadcast against the input of shape [${a.join(', ')}], which is likely wrong; give both the same shape.`,
    'PraxisWarning',
  );
  const [x, y] = torch.broadcastTensors([input, target]) as [Tensor, Tensor];
  return [x, y];
}
