/** How layers make their parameters. */
import { ArgumentError, type Tensor, type TensorOptions, torch } from '../../torch/index.js';
import { calculateFanInAndFanOut, kaimingUniform_, uniform_ } from '../init.js';
import { Parameter } from '../parameter.js';

/** Where and as what a layer's parameters are made. */
export type FactoryOptions = Pick<TensorOptions, 'device' | 'dtype'>;

/** A parameter whose values are still to be set. */
export function emptyParameter(shape: readonly number[], options: FactoryOptions): Parameter {
  return new Parameter(torch.empty(shape, { device: options.device, dtype: options.dtype }));
}

/** Throws unless a size is a whole number above 0 (or from `least` on). */
export function requireCount(value: number, name: string, title: string, least = 1): void {
  if (!Number.isInteger(value) || value < least)
    throw new ArgumentError(`${title}: ${name} must be a whole number of at least ${least}, got ${String(value)}.`);
}

/** PyTorch's default of linear layers and convolutions: uniform over ±1/√fan-in, weight first. */
export function resetLinear(weight: Tensor, bias: Tensor | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (bias === null) return;
  const { fanIn } = calculateFanInAndFanOut(weight);
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  uniform_(bias, { a: -bound, b: bound });
}
