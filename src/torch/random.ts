/** The random state of the engine. */
import { ArgumentError } from './errors.js';
import { checked as native } from './failure.js';
import { Generator, seedBits } from './generator.js';
import type { Tensor } from './tensor.js';

/**
 * Seeds the default generators of all devices; same seed, same bits as PyTorch.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html
 * @param seed an integer, or a bigint of up to 64 bits
 */
export function manualSeed(seed: number | bigint): Generator {
  native.manualSeed(seedBits(seed));
  return defaultGenerator();
}

/** The generator that operators use when none is given. */
export function defaultGenerator(device = 'cpu'): Generator {
  return new Generator(device, native.defaultGenerator(device));
}

/** The seed the default generator was started from. */
export function initialSeed(): bigint {
  return defaultGenerator().initialSeed();
}

/** The state of the CPU's default generator (uint8). */
export function getRngState(device = 'cpu'): Tensor {
  return defaultGenerator(device).getState();
}

/** Goes back to a state that `getRngState` gave. */
export function setRngState(state: Tensor, device = 'cpu'): void {
  defaultGenerator(device).setState(state);
}

/** Runs `callback` and puts the random state of the CPU (and the given devices) back as it was. */
export function forkRng<T>(callback: () => T, devices: readonly string[] = []): T {
  if (typeof callback !== 'function')
    throw new ArgumentError(`forkRng() needs a function to run, got ${typeof callback}.`);
  const states = ['cpu', ...devices].map((device) => [device, getRngState(device)] as const);
  try {
    const result = callback();
    if (typeof (result as { then?: unknown } | null)?.then === 'function')
      throw new ArgumentError(
        'forkRng() takes a synchronous function: other code would draw from the forked state while yours awaits.',
      );
    return result;
  } finally {
    for (const [device, state] of states) setRngState(state, device);
  }
}
