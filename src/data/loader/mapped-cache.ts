/** The packed cache as a tensor: the data file mapped into memory, from which batches are gathered. */
import { totalmem } from 'node:os';
import { type Tensor, torch } from '../../torch/index.js';
import { identityOf, type StorePlan } from '../cache/store.js';
import type { PictureForm } from '../types.js';

/**
 * What is mapped is only ever written through the file, never through the map, which a full disk would turn into a crash; and only slots
 * that were verified are read.
 */
export class MappedCache {
  readonly #words: Tensor;
  readonly #plan: StorePlan;
  readonly #form: PictureForm;

  private constructor(
    words: Tensor,
    plan: StorePlan,
    form: PictureForm,
    /** Which file is mapped. */
    readonly identity: string,
  ) {
    this.#words = words;
    this.#plan = plan;
    this.#form = form;
  }

  /**
   * @param slots samples in the data file
   * @param used how many of them are going to be read
   * @returns null where mapping is impossible, or memory is too small for what is read: reading ahead in threads is faster then
   */
  static open(plan: StorePlan, slots: number, used: number, form: PictureForm): MappedCache | null {
    if (used * plan.stride > memoryLimit() / 2) return null;
    try {
      const identity = identityOf(plan.dataFile);
      const bytes = torch.ops.aten.from_file(plan.dataFile, true, slots * plan.stride, { dtype: 'uint8' });
      // The file may have been deleted and made anew meanwhile: nobody knows then which of the two is mapped.
      if (identityOf(plan.dataFile) !== identity) return null;
      return new MappedCache(bytes.view([slots, plan.stride]).view('int64'), plan, form, identity);
    } catch {
      return null;
    }
  }

  /** Pictures as [N, C, H, W] in channels-last memory, copied out of the file. */
  gather(slots: Int32Array): Tensor {
    const { height, width, channels } = this.#form;
    const words = torch.indexSelect(this.#words, 0, torch.tensor(slots));
    const bytes = words.view('uint8');
    const { pictureBytes, stride } = this.#plan;
    const pictures = pictureBytes === stride ? bytes : bytes.narrow(1, 0, pictureBytes).contiguous();
    return pictures.view([slots.length, height, width, channels]).permute([0, 3, 1, 2]);
  }

  /** Ends the mapping, as soon as the collector has nothing more that uses it. */
  close(): void {
    this.#words.dispose();
  }
}

/** Memory of the machine, or what a container leaves of it. */
function memoryLimit(): number {
  const limit = (process as { constrainedMemory?: () => number | undefined }).constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
