/** What an optimiser knows of each parameter, and how parameters are gathered for one call of the engine. */
import { type DType, dtypeName } from '../torch/dtype.js';
import { native } from '../torch/load.js';
import { keep } from '../torch/memory.js';
import type { Handle } from '../torch/native.js';
import { Tensor } from '../torch/tensor.js';
import { foreach, laidOutAs } from './engine.js';

/** Bits of `native.flags`: rows in order, channels last, not dense at all. */
const contiguousFlag = 4;
const channelsLastFlag = 8;
const sparseFlag = 32;
const orderFlags = contiguousFlag | channelsLastFlag;

/** Whether a gradient is sparse, from its flags. */
export const isSparse = (flags: number): boolean => (flags & sparseFlag) !== 0;

/** One parameter and what the optimiser remembers of it. */
export class Slot {
  /** Steps in which it had a gradient. */
  step = 0;
  /** The optimiser's own tensors by name, e.g. `expAvg`; made at the first step. */
  readonly state: Record<string, Tensor> = {};
  /** Of the parameter when it was last looked at: a module that is converted keeps its parameters and gives them other memory. */
  handle: Handle = 0 as Handle;
  device = '';
  dtype: DType = 'float32';
  elements = 0;
  /** How it lies in memory: `orderFlags` of a dense tensor, 0 for other strides. */
  order = -1;
  #dtypeCode = -1;

  constructor(readonly parameter: Tensor) {}

  /** Looks at the parameter again; where it changed, its state follows, and what is made for that is added to `made`. */
  refresh(made: Tensor[]): void {
    const { handle } = this.parameter;
    const order = native.flags(handle) & orderFlags;
    const dtypeCode = native.dtype(handle);
    const device = severalDevices() ? native.device(handle) : 'cpu';
    if (order === this.order && dtypeCode === this.#dtypeCode && device === this.device && handle === this.handle)
      return;
    this.handle = handle;
    this.order = order;
    this.#dtypeCode = dtypeCode;
    this.device = device;
    this.dtype = dtypeName(dtypeCode);
    this.elements = native.numel(handle);
    for (const [name, tensor] of Object.entries(this.state)) {
      const moved = keep(new Tensor(laidOutAs(tensor.handle, handle)));
      this.state[name] = moved;
      made.push(moved);
      tensor.dispose();
    }
  }

  /** Whether a gradient with these flags lies in memory as the parameter does. */
  sharesOrder(gradientFlags: number): boolean {
    return (gradientFlags & this.order) !== 0;
  }

  /** A tensor of zeros like the parameter, that outlives every scope. */
  make(name: string): Tensor {
    const made = keep(new Tensor(zerosLike(this.parameter.handle)));
    this.state[name] = made;
    return made;
  }
}

let devices: boolean | undefined;
/** Whether parameters can be anywhere but on the CPU. */
function severalDevices(): boolean {
  devices ??= ['cuda', 'mps', 'xpu'].some((type) => native.deviceCount(type) > 0);
  return devices;
}

let zerosLikeId: number | undefined;
function zerosLike(handle: Handle): Handle {
  zerosLikeId ??= native.resolve('aten::zeros_like', '');
  return native.call(zerosLikeId, null, handle) as Handle;
}

/** Parameters that one call updates: of one element type, on one device, equally far in their training. */
export class Bucket {
  readonly slots: Slot[] = [];
  readonly parameters: Handle[] = [];
  gradients: Handle[] = [];
  elements = 0;
  /** Whether `gradients` are copies, which may be changed in place. */
  private gradientsAreCopies = false;

  constructor(
    readonly device: string,
    readonly dtype: DType,
    /** What the optimiser tells buckets apart by: the step count, or whether state is there. */
    readonly phase: number,
    readonly fused: boolean,
    /** Whether its tensors are too small to share among threads. */
    readonly serial: boolean,
    /** Whether its gradients are sparse. */
    readonly sparse: boolean,
  ) {}

  add(slot: Slot, gradient: Handle): void {
    this.slots.push(slot);
    this.parameters.push(slot.handle);
    this.gradients.push(gradient);
    this.elements += slot.elements;
  }

  /** The handles of one of the optimiser's own tensors, in the order of the parameters. */
  state(name: string): Handle[] {
    return this.slots.map((slot) => (slot.state[name] as Tensor).handle);
  }

  /** Counts a step of each parameter; gives the number of steps, this one included. */
  countStep(): number {
    for (const slot of this.slots) slot.step++;
    return (this.slots[0] as Slot).step;
  }

  /** Gradients as the update wants them: negated to climb, with the decay of the weights added. Copies when either is asked for. */
  prepareGradients(maximize: boolean, weightDecay: number): Handle[] {
    if (maximize) {
      this.gradients = foreach.neg(this.gradients);
      this.gradientsAreCopies = true;
    }
    if (weightDecay !== 0) {
      if (this.gradientsAreCopies) foreach.add_(this.gradients, this.parameters, weightDecay);
      else this.gradients = foreach.add(this.gradients, this.parameters, weightDecay);
      this.gradientsAreCopies = true;
    }
    return this.gradients;
  }
}

/**
 * Elements that an update made of several operators works through at once on a CPU. Each operator is a pass over the memory; so
 * many elements stay in the cache from one pass to the next, and the intermediate results stay small.
 */
const chunkElements = 2 ** 18;

/**
 * The engine's fused operators wake all threads for each tensor, which takes longer than a small tensor's update. Its other operators
 * use one thread below this many elements, and so do we.
 */
const serialElements = 2 ** 15;

/** Sorts parameters into buckets. */
export class Gathering {
  readonly buckets: Bucket[] = [];

  add(slot: Slot, gradient: Handle, phase: number, fused: boolean, sparse: boolean): void {
    const serial = fused && slot.elements < serialElements && slot.device === 'cpu';
    for (const bucket of this.buckets)
      if (
        bucket.phase === phase &&
        bucket.fused === fused &&
        bucket.serial === serial &&
        bucket.sparse === sparse &&
        bucket.dtype === slot.dtype &&
        bucket.device === slot.device &&
        (fused || slot.device !== 'cpu' || bucket.elements + slot.elements <= chunkElements)
      ) {
        bucket.add(slot, gradient);
        return;
      }
    const bucket = new Bucket(slot.device, slot.dtype, phase, fused, serial, sparse);
    bucket.add(slot, gradient);
    this.buckets.push(bucket);
  }
}
