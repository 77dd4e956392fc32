/**
 * What each training sample costs while the network learns, early and late: a sample that first goes against all that is learnt and is named
 * rightly in the end is learnt last, and what is learnt by heart is among those. Taken from the steps as they are: nothing is computed twice.
 * Sources: Arpit et al., "A closer look at memorization in deep networks" (2017); Toneva et al., "An empirical study of example forgetting" (2019)
 */
import type { Batch, Dataset } from '../data/types.js';
import { functional as F } from '../nn/index.js';
import { type Tensor, torch } from '../torch/index.js';

/** One line of `training.jsonl`. */
export interface SampleLoss {
  readonly name: string;
  readonly target: number;
  /** Mean cross-entropy with its own label in the first quarter of the epochs. */
  readonly early: number;
  /** The same of the last epochs, each counting 0.7 times the one after it. */
  readonly late: number;
  /** Share of the last epochs, weighed likewise, in which it was named rightly. */
  readonly right: number;
}

/** In the folder of a run with one label per sample. */
export const trainingFile = 'training.jsonl';

/** Epochs that count as early, from the first. */
export const earlyEpochs = (epochs: number): number => Math.max(1, Math.ceil(epochs / 4));

const newest = 0.3;
/** Rows of what is kept: sum and count of the early losses; moving averages of loss and of being right. */
const [sumRow, countRow, lateRow, rightRow] = [0, 1, 2, 3];

export class SampleLosses {
  readonly #dataset: Dataset;
  readonly #labels: BigInt64Array;
  readonly #early: number;
  #rows: Float32Array;

  /** @param dataset the training part @param epochs of the whole run */
  constructor(dataset: Dataset, epochs: number) {
    this.#dataset = dataset;
    this.#labels = BigInt64Array.from({ length: dataset.length }, (_, i) => BigInt(dataset.target(i)));
    this.#early = earlyEpochs(epochs);
    this.#rows = new Float32Array(4 * dataset.length);
  }

  /** Notes a batch. @param logits [N, classes], as the step had them: of changed pictures; mixed ones count with the label that is theirs */
  note({ index }: Pick<Batch, 'index'>, logits: Tensor, epoch: number): void {
    const count = this.#dataset.length;
    const places = [...(index.toTypedArray() as BigInt64Array)].map(Number);
    const [losses, right] = torch.scope(() =>
      torch.noGrad(() => {
        const own = BigInt64Array.from(places, (place) => this.#labels[place] as bigint);
        const target = torch.tensor(own).to({ device: logits.device });
        const loss = F.crossEntropy(logits.detach(), target, { reduction: 'none' });
        const hit = logits.detach().argmax(1).eq(target).to({ dtype: 'float32' });
        // Together, so that a graphics processor is waited for once.
        const both = torch.stack([loss, hit]).cpu().contiguous().toTypedArray() as Float32Array;
        return [both.slice(0, places.length), both.slice(places.length)];
      }),
    );
    for (const [row, place] of places.entries()) {
      const loss = losses[row] as number;
      // The step finds out by itself, and goes back.
      if (!Number.isFinite(loss)) continue;
      const at = (which: number): number => which * count + place;
      const seen = this.#rows[at(countRow)] as number;
      if (seen === 0) {
        this.#rows[at(lateRow)] = loss;
        this.#rows[at(rightRow)] = right[row] as number;
      } else
        for (const [which, value] of [
          [lateRow, loss],
          [rightRow, right[row] as number],
        ] as const)
          this.#rows[at(which)] = (1 - newest) * (this.#rows[at(which)] as number) + newest * value;
      if (seen > 0 && epoch >= this.#early) continue;
      this.#rows[at(sumRow)] = (this.#rows[at(sumRow)] as number) + loss;
      this.#rows[at(countRow)] = seen + 1;
    }
  }

  /** For checkpoints. */
  state(): Tensor {
    return torch.tensor(this.#rows.slice()).view([4, this.#dataset.length]);
  }

  /** @param state none in a checkpoint from before there were any: it begins anew */
  restore(state: Tensor | undefined): void {
    const rows = state?.cpu().contiguous().toTypedArray() as Float32Array | undefined;
    this.#rows = rows?.length === this.#rows.length ? rows.slice() : new Float32Array(this.#rows.length);
  }

  /** Of the samples that were trained on. */
  lines(): SampleLoss[] {
    const count = this.#dataset.length;
    const digits = (value: number): number => Number(value.toPrecision(5));
    const lines: SampleLoss[] = [];
    for (let i = 0; i < count; i++) {
      const value = (which: number): number => this.#rows[which * count + i] as number;
      if (value(countRow) === 0) continue;
      lines.push({
        name: this.#dataset.sampleName(i),
        target: Number(this.#labels[i]),
        early: digits(value(sumRow) / value(countRow)),
        late: digits(value(lateRow)),
        right: digits(value(rightRow)),
      });
    }
    return lines;
  }
}
