/** The shared memory that batches are put together in, lent out as tensors without a copy and taken back when nobody can see it any more. */
import { type Tensor, torch } from '../../torch/index.js';

export class BatchBuffers {
  /** Stay the same, so that threads can be given them once. */
  readonly buffers: readonly SharedArrayBuffer[];
  /** The buffer that is being filled at each place of the ring. */
  readonly filling: number[];
  readonly #free: number[];
  readonly #returns: FinalizationRegistry<number>;

  /**
   * @param ring how many are being filled at any time
   * @param spare how many may be lent out besides
   */
  constructor(ring: number, spare: number, bytes: number) {
    // Memory that is never written to is never really taken.
    this.buffers = Array.from({ length: ring + spare }, () => new SharedArrayBuffer(bytes));
    this.filling = Array.from({ length: ring }, (_, i) => i);
    const free = Array.from({ length: spare }, (_, i) => ring + i);
    this.#free = free;
    this.#returns = new FinalizationRegistry((buffer) => free.push(buffer));
  }

  /**
   * The first `bytes` bytes of the buffer at a place, as a tensor; another buffer takes the place.
   *
   * The tensor lies over a second JavaScript object for the same memory. The engine holds that object as long as any tensor, view or
   * graph uses the memory; when the collector has taken it, the buffer can be filled again without changing what anybody sees. Where all
   * are lent, the batch is copied.
   */
  lend(place: number, bytes: number): Tensor {
    const next = this.#free.pop();
    if (next === undefined) {
      using shared = this.peek(place, bytes);
      return shared.clone();
    }
    const buffer = this.filling[place] as number;
    const second = structuredClone(this.buffers[buffer] as SharedArrayBuffer);
    this.#returns.register(second, buffer);
    this.filling[place] = next;
    return torch.fromBuffer(second, { dtype: 'uint8', shape: [bytes] });
  }

  /** The same as a tensor that must be gone before the place is filled again. */
  peek(place: number, bytes: number): Tensor {
    const memory = this.buffers[this.filling[place] as number] as SharedArrayBuffer;
    return torch.fromBuffer(memory, { dtype: 'uint8', shape: [bytes] });
  }
}
