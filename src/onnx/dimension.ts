/** Sizes that grow with the batch: `times` · N + `plus`, for a batch of N. */
export interface Growing {
  readonly times: number;
  readonly plus: number;
}

/** A size: a number, or one that grows with the batch. */
export type Dimension = number | Growing;

export const isGrowing = (dimension: Dimension): dimension is Growing => typeof dimension !== 'number';

/** The size that is `a` for a batch of `n` and `b` for one of `m`. */
export function dimensionOf(a: number, b: number, n: number, m: number): Dimension {
  if (a === b) return a;
  const times = (b - a) / (m - n);
  return { times, plus: a - times * n };
}

export const sameDimension = (a: Dimension, b: Dimension): boolean =>
  isGrowing(a) ? isGrowing(b) && a.times === b.times && a.plus === b.plus : a === b;
