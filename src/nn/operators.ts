/** The engine's operators that PyTorch shows in `torch.nn.functional` rather than in `torch`, typed by their schemas. */
import { makeFunction } from '../torch/dispatch.js';
import type { AtenOps } from '../torch/generated/aten-ops.generated.js';
import { toCamelCase } from '../torch/names.js';

/** A function that calls an operator by its own argument order; it is looked up in the engine at the first call. */
export function operator<Name extends keyof AtenOps>(name: Name): AtenOps[Name] {
  return makeFunction(toCamelCase(name), name) as unknown as AtenOps[Name];
}

/** One size for all dimensions, or one for each. */
export type Size = number | readonly number[];

/** One size per dimension. */
export const expandSize = (size: Size, dimensions: number): number[] =>
  typeof size === 'number' ? new Array<number>(dimensions).fill(size) : [...size];
