/** The shared memory that batches are put together in, lent out as tensors without a copy and taken back when nobody can see it any more. */
import { type Tensor, torch } from '../../torch/index.js';

export class BatchBuffers {
  /** Stay the same, so that threads can be given them once. */
  readonly buffers: readonly SharedArrayBuffer[];
  readonly #free: number[] = [];
  readonly #returns: FinalizationRegistry<number>;

  /**
   * @param ring buffers that are being filled at any time: numbers 0 … ring − 1
   * @param spare buffers that may be lent out besides
   */
  constructor(ring: number, spare: number, bytes: number) {
    // Memory that is never written to is never really taken.
    this.buffers = Array.from({ length: ring + spare }, () => new SharedArrayBuffer(bytes));
    for (let i = ring + spare - 1; i >= ring; i--) this.#free.push(i);
    const free = this.#free;
    this.#returns = new FinalizationRegistry((buffer) => free.push(buffer));
  }

  /**
   * The first `bytes` bytes of a buffer as a tensor, and the buffer to fill in its place.
   *
   * The tensor lies over a second JavaScript object for the same memory. The engine holds that object as long as any tensor, view or
   * graph uses the memory; when the collector has taken it, the buffer can be filled again without changing what anybody sees. Where all
   * are lent, the batch is copied.
   */
  lend(buffer: number, bytes: number): { readonly tensor: Tensor; readonly next: number } {
    const memory = this.buffers[buffer] as SharedArrayBuffer;
    const next = this.#free.pop();
    if (next === undefined) {
      using shared = torch.fromBuffer(memory, { shape: [bytes], dtype: 'uint8' });
      return { tensor: shared.clone(), next: buffer };
    }
    const second = structuredClone(memory);
    const tensor = torch.fromBuffer(second, { dtype: 'uint8' });
    this.#returns.register(second, buffer);
    return { tensor: bytes === memory.byteLength ? tensor : tensor.at(`:${bytes}`), next };
  }

  /** A tensor over a buffer for as long as it is not filled again. */
  peek(buffer: number): Tensor {
    return torch.fromBuffer(this.buffers[buffer] as SharedArrayBuffer, { dtype: 'uint8' });
  }
}
