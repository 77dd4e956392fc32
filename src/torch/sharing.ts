/** Handing tensors to worker threads of the same process without copying them. */
import { ArgumentError } from './errors.js';
import { attempt } from './failure.js';
import { native } from './load.js';
import { handleOf, Tensor } from './tensor.js';

/** A claim on a tensor; goes through `postMessage` and is good for one `receiveTensor`. */
export interface TensorTicket {
  readonly praxisTensor: number;
}

/**
 * Parks a tensor for another thread. The memory stays alive until the ticket is used, and afterwards as long as either thread holds
 * the tensor; both see changes in place.
 * @throws ArgumentError for a tensor with a gradient history: `detach()` it first
 */
export function shareTensor(tensor: Tensor): TensorTicket {
  return { praxisTensor: attempt(() => native.exportHandle(handleOf(tensor, 'tensor')), 'shareTensor', [tensor]) };
}

/** The tensor of a ticket. */
export function receiveTensor(ticket: TensorTicket): Tensor {
  const number = (ticket as TensorTicket | null)?.praxisTensor;
  if (typeof number !== 'number')
    throw new ArgumentError('receiveTensor() takes what shareTensor() gave in the other thread.');
  return attempt(() => new Tensor(native.importHandle(number)), 'receiveTensor', [number]);
}
