/** Checks that all models share. */
import { ArgumentError } from '../torch/index.js';

/** Throws unless a number is whole and at least `least`. */
export function requireWhole(model: string, name: string, value: number, least = 1): void {
  if (!Number.isInteger(value) || value < least)
    throw new ArgumentError(`${model}: ${name} must be a whole number of at least ${least}, got ${String(value)}.`);
}

/** Throws unless a number is a probability that leaves something: from 0 to below 1. */
export function requireRate(model: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new ArgumentError(`${model}: ${name} must be from 0 to below 1, got ${String(value)}.`);
}

/** Throws unless a list holds `length` whole numbers (any length but none when it is undefined). */
export function requireWholes(model: string, name: string, values: readonly number[], length?: number): void {
  if (!Array.isArray(values) || values.length === 0 || (length !== undefined && values.length !== length))
    throw new ArgumentError(
      `${model}: ${name} must be a list of ${length ?? 'at least one'} whole number${length === 1 ? '' : 's'}, got ${JSON.stringify(values)}.`,
    );
  for (const value of values) requireWhole(model, name, value);
}
