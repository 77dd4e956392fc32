/** Handing tensors to worker threads of the same process without copying them. */
import { dtypeCodes } from './dtype.js';
import { ArgumentError } from './errors.js';
import { attempt } from './failure.js';
import { type ElementType, elementByName } from './files/element-types.js';
import { torchEngine } from './files/torch-engine.js';
import { native } from './load.js';
import { keep } from './memory.js';
import { handleOf, Tensor } from './tensor.js';

/** A claim on a tensor; goes through `postMessage` and is good for one `receiveTensor`. */
export interface TensorTicket {
  readonly praxisTensor: number;
  /** The SharedArrayBuffer's memory that it lies over, where a worker thread made that. */
  readonly memory?: Uint8Array;
}

/** What a received tensor keeps of the thread it came from, by the memory that this thread holds in its place. */
const originals = new WeakMap<SharedArrayBuffer, Tensor>();

/**
 * Parks a tensor for another thread. The memory stays alive until the ticket is used, and afterwards as long as either thread holds
 * the tensor; both see changes in place. A sparse tensor over a SharedArrayBuffer of a worker thread is copied.
 * @throws ArgumentError for a tensor with a gradient history: `detach()` it first
 */
export function shareTensor(tensor: Tensor): TensorTicket {
  return attempt(() => makeTicket(tensor), 'shareTensor', [tensor]);
}

/** The tensor of a ticket. */
export function receiveTensor(ticket: TensorTicket): Tensor {
  const number = (ticket as TensorTicket | null)?.praxisTensor;
  const memory = (ticket as TensorTicket | null)?.memory;
  if (typeof number !== 'number' || !(memory === undefined || isShared(memory)))
    throw new ArgumentError('receiveTensor() takes what shareTensor() gave in the other thread.');
  const original = attempt(() => new Tensor(native.importHandle(number)), 'receiveTensor', [number]);
  return memory === undefined ? original : attempt(() => heldHere(original, memory), 'receiveTensor', [number]);
}

const isShared = (memory: unknown): boolean =>
  memory instanceof Uint8Array && memory.buffer instanceof SharedArrayBuffer;

function makeTicket(tensor: Tensor): TensorTicket {
  const handle = handleOf(tensor, 'tensor');
  const sparse = native.layout(handle).startsWith('sparse');
  const memory = sparse ? null : native.lentBytes(handle);
  // Only of dense tensors is everything known that the other thread needs to make them anew.
  const copied = sparse
    ? partsOf(tensor).some((part) => native.lentBytes(part.handle) !== null)
    : memory !== null && elementByName(tensor.dtype) === undefined;
  // One with a history is refused, not copied.
  if (copied && native.gradFnName(handle) === null)
    return { praxisTensor: native.exportHandle(tensor.detach().clone().requiresGrad_(tensor.requiresGrad).handle) };
  const praxisTensor = native.exportHandle(handle);
  return memory === null ? { praxisTensor } : { praxisTensor, memory };
}

function partsOf(sparse: Tensor): Tensor[] {
  const { indices, values } = torchEngine.sparseParts(sparse);
  return [...indices, values];
}

/**
 * The same tensor over the same memory, held by this thread: what the engine holds for the other one goes with that. This thread holds
 * the original too, so that its owner does not use the memory for something else while it is seen here.
 */
function heldHere(original: Tensor, memory: Uint8Array): Tensor {
  // An object of its own, that lives as long as the new storage and no longer.
  const buffer = structuredClone(memory.buffer as SharedArrayBuffer);
  originals.set(buffer, keep(original));
  const bytes = new Uint8Array(buffer, memory.byteOffset, memory.byteLength);
  const storage = new Tensor(native.fromBytes(bytes, 0, [bytes.byteLength], dtypeCodes.uint8, true));
  const facts = torchEngine.facts(original);
  const type = elementByName(facts.dtype) as ElementType;
  return torchEngine.finish(torchEngine.view(storage, type, facts.shape, facts.strides, facts.offset), facts);
}
