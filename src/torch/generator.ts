/** Random number generators: PyTorch's `torch.Generator`. */
import { ArgumentError } from './errors.js';
import { checked as native } from './failure.js';
import type { GeneratorHandle } from './native.js';
import { handleOf, Tensor } from './tensor.js';

/** A seed as the engine takes it: 64 bits; negative numbers wrap as in PyTorch. */
export function seedBits(seed: number | bigint): bigint {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed))
    throw new ArgumentError(`A seed must be an integer (a bigint beyond 2^53), got ${seed}.`);
  const bits = BigInt(seed);
  if (bits < -(2n ** 63n) || bits >= 2n ** 64n) throw new ArgumentError(`A seed must fit 64 bits, got ${seed}.`);
  return BigInt.asUintN(64, bits);
}

/**
 * A stream of random numbers of its own, passed to operators as `{ generator }`. Same seed, same bits as PyTorch's.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
 */
export class Generator {
  /** @internal */
  readonly handle: GeneratorHandle;

  /** @param device where the random numbers are made, e.g. `cpu`, `cuda:0` */
  constructor(device = 'cpu', handle?: GeneratorHandle) {
    this.handle = handle ?? native.makeGenerator(device);
  }

  /** Where it makes its numbers. */
  get device(): string {
    return native.generatorDevice(this.handle);
  }

  /** Starts the stream anew from a seed. */
  manualSeed(seed: number | bigint): this {
    native.generatorSeed(this.handle, seedBits(seed));
    return this;
  }

  /** The seed the stream was started from. */
  initialSeed(): bigint {
    return native.generatorInitialSeed(this.handle);
  }

  /** The exact position in the stream, as a uint8 tensor (5,056 bytes on the CPU). */
  getState(): Tensor {
    return new Tensor(native.generatorState(this.handle));
  }

  /** Goes back to a position that `getState` gave. */
  setState(state: Tensor): this {
    handleOf(state, 'state');
    // libtorch reads the state with aligned loads and dies on bytes that begin at an odd address, as a mapped file's may: a copy is aligned.
    const copy = state.clone();
    native.setGeneratorState(this.handle, handleOf(copy, 'state'));
    copy.dispose();
    return this;
  }
}
