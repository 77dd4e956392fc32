/** Writes what a run measures: a line of `metrics.jsonl`, and the same numbers for TensorBoard. Never ends a run. */
import { type MetricsLine, type RunFolder, SummaryWriter } from '../track/index.js';
import { Tracking } from './tracking.js';

/** TensorBoard's tags of the fields of a line, by its kind. */
const tags: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  step: { loss: 'train/loss', learningRate: 'train/learning rate', gradientNorm: 'train/gradient norm' },
  epoch: {
    trainLoss: 'epoch/train loss',
    trainAccuracy: 'epoch/train accuracy',
    validationLoss: 'epoch/validation loss',
    validationAccuracy: 'epoch/validation accuracy',
    seconds: 'time/seconds per epoch',
    waiting: 'time/share waiting for data',
    weightNorm: 'epoch/weight norm',
  },
  validation: { loss: 'validation/loss', accuracy: 'validation/accuracy' },
};

export class Recorder {
  readonly #run: RunFolder;
  readonly #writer: SummaryWriter;
  /** Histograms, pictures and the rest. */
  readonly tracking: Tracking;

  /** @param fromStep when a run goes on, be it from its beginning: TensorBoard is told to forget what came after it */
  constructor(run: RunFolder, fromStep?: number) {
    this.#run = run;
    this.#writer = new SummaryWriter(run.path, {
      onWarning: (sentence) => run.warn(sentence),
      ...(fromStep === undefined ? {} : { purgeStep: fromStep + 1 }),
    });
    this.tracking = new Tracking(this.#writer);
  }

  log(line: MetricsLine): void {
    this.tracking.timed(() => this.#write(line));
  }

  #write(line: MetricsLine): void {
    this.#run.log(line);
    const names = tags[line.kind ?? ''];
    if (names === undefined) return;
    for (const [field, tag] of Object.entries(names)) {
      const value = line[field];
      if (typeof value === 'number') this.#writer.addScalar(tag, value, line.step);
    }
  }

  /** A sentence in TensorBoard's text tab. */
  text(tag: string, markdown: string, step = 0): void {
    this.#writer.addText(tag, markdown, step);
  }

  /** Waits until everything is in the files, or cannot be; the wait counts as logging. */
  async flush(): Promise<void> {
    await this.tracking.waiting(Promise.all([this.#run.flush(), this.#writer.flush()]));
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}
