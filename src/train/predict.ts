/** Using a run: the chosen model, its classes and its normalisation, ready for pictures, rows or texts. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DataLoader } from '../data/loader/index.js';
import type { RowNormaliser } from '../data/normalise/index.js';
import { PictureSamples } from '../data/sources/samples.js';
import type { BatchTransform, Dataset, PictureForm } from '../data/types.js';
import { Tensor, torch } from '../torch/index.js';
import { inputTransform } from './build.js';
import { type Classifier, logitsOf, type Machine, placeInput, placeModel } from './compute.js';
import { RunError } from './errors.js';
import type { TrainPlan } from './plan.js';
import { loadModel, planOf } from './recipe/record.js';
import { normalisationFile, readNormaliser } from './recipe/rows.js';
import { type EvalOptions, type EvalResult, evaluateRun } from './use/evaluate-run.js';
import { isRawPicture, type PictureInput, pixelsOf } from './use/pictures.js';
import { featuresOf, type RowInput } from './use/rows.js';
import { averagedLogits, viewsFor } from './views.js';

/** A class with its probability. */
export interface Guess {
  readonly label: string;
  readonly probability: number;
}

/** What a model says of one picture, row or text; `error` where it cannot be read. */
export interface Prediction {
  /** Where it came from a file. */
  readonly file?: string;
  /** Most probable first. */
  readonly guesses: readonly Guess[];
  /** Of all classes, in their order; with `probabilities`. Of a multi-label run each stands for itself. */
  readonly probabilities?: readonly number[];
  readonly error?: string;
}

export interface PredictOptions {
  /** How many classes to name. Default 3. */
  readonly top?: number;
  /** Also give the probabilities of all classes. Default false. */
  readonly probabilities?: boolean;
  /** Default 64. */
  readonly batchSize?: number;
  /** Test-time augmentation: look at each picture several times, a little moved and mirrored, and average the answers. Default false. */
  readonly tta?: boolean;
  /** Threads that decode, where there are many files. Default one per processor. */
  readonly workers?: number;
}

/** What a run can be asked about: pictures, or rows and texts where it was trained on those. */
export type PredictInput = PictureInput | RowInput;

/** From so many files on, threads decode them while the network computes. */
const manyFiles = 48;

/** A finished run as a classifier. */
export class LoadedRun {
  readonly #rows: RowNormaliser | undefined;

  /** @internal Use `loadRun`. */
  constructor(
    readonly folder: string,
    readonly plan: TrainPlan,
    /** In eval mode; its weights are the chosen ones. */
    readonly model: Classifier,
    readonly machine: Machine,
    rows: RowNormaliser | undefined,
  ) {
    this.#rows = rows;
  }

  get classes(): readonly string[] {
    return this.plan.data.classes;
  }

  /** Whether each class is a question of its own. */
  get multiLabel(): boolean {
    return this.plan.data.multiLabel;
  }

  /** What it was trained on. */
  get kind(): 'picture' | 'row' | 'text' {
    if (this.plan.data.form !== undefined) return 'picture';
    return this.#rows?.toJSON().kind === 'text' ? 'text' : 'row';
  }

  /** How rows become what the network takes; undefined for pictures. @internal */
  get rowNormaliser(): RowNormaliser | undefined {
    return this.#rows;
  }

  /** Height and width of the pictures that the network takes; undefined for rows. */
  get size(): readonly [number, number] | undefined {
    const { form } = this.plan.data;
    return form === undefined ? undefined : [form.height, form.width];
  }

  /**
   * The network's logits [N, classes] for what it takes: normalised pictures [N, C, H, W], or uint8 ones, which are normalised first; rows
   * [N, features]. Without gradients, in float32, on the CPU.
   */
  logits(input: Tensor): Tensor {
    return torch.noGrad(() => {
      const ready = input.dtype === 'uint8' && this.plan.data.form !== undefined ? this.#normalised(input) : input;
      return logitsOf(this.model, placeInput(ready, this.machine), this.machine);
    });
  }

  /** Probabilities [N, classes] of what `logits` takes: softmax, or of a multi-label run the sigmoid. */
  probabilities(input: Tensor): Tensor {
    return torch.noGrad(() => {
      const logits = this.logits(input);
      return this.multiLabel ? logits.sigmoid() : logits.softmax(1);
    });
  }

  /**
   * What the model says: of one picture (a file's name, the bytes of an encoded picture, bare pixels, a tensor [C, H, W]), of one row
   * (`{ column: value }`) or text, or of a list of them.
   *
   * One that cannot be read is an error; in a list it gets an `error` of its own, and the others their guesses.
   * @throws BadSampleError, RunError
   */
  predict(input: PredictInput, options?: PredictOptions): Promise<Prediction>;
  predict(inputs: Iterable<PredictInput>, options?: PredictOptions): Promise<Prediction[]>;
  async predict(
    input: PredictInput | Iterable<PredictInput>,
    options: PredictOptions = {},
  ): Promise<Prediction | Prediction[]> {
    if (!isOne(input)) {
      const found: Prediction[] = [];
      for await (const one of this.predictEach(input, options)) found.push(one);
      return found;
    }
    if (this.kind !== 'picture') return this.#predictRows([input as RowInput], options)[0] as Prediction;
    const pixels = await pixelsOf(input as PictureInput, this.#form());
    const [answer] = this.#answers(this.#stack([pixels]), options) as [Prediction];
    return typeof input === 'string' ? { file: input, ...answer } : answer;
  }

  /** The same for many, one after the other, in their order; those of files come while others are still being decoded. */
  async *predictEach(inputs: Iterable<PredictInput>, options: PredictOptions = {}): AsyncGenerator<Prediction> {
    const list = [...inputs];
    const { batchSize = 64 } = options;
    if (this.kind !== 'picture') {
      for (let start = 0; start < list.length; start += batchSize)
        yield* this.#predictRows(list.slice(start, start + batchSize) as RowInput[], options);
      return;
    }
    if (list.length >= manyFiles && list.every((one) => typeof one === 'string')) {
      yield* this.#predictFiles(list as string[], options);
      return;
    }
    for (let start = 0; start < list.length; start += batchSize) {
      const part = list.slice(start, start + batchSize) as PictureInput[];
      const pictures = await Promise.all(part.map((one) => pixelsOf(one, this.#form()).catch((error: Error) => error)));
      const good = pictures.filter((picture): picture is Uint8Array => !(picture instanceof Error));
      const answers = good.length === 0 ? [] : this.#answers(this.#stack(good), options);
      let next = 0;
      for (const [i, picture] of pictures.entries()) {
        const name = part[i];
        const file = typeof name === 'string' ? { file: name } : {};
        if (picture instanceof Error) yield { ...file, guesses: [], error: picture.message };
        else yield { ...file, ...(answers[next++] as Prediction) };
      }
    }
  }

  /**
   * How good the model is on data with labels: metrics with 95 % intervals. Classes are matched by name; data that the run was trained on,
   * or that it keeps for its test, are named.
   * @param data what `openSource` takes, or a data set
   */
  evaluate(data: string | Dataset, options: EvalOptions = {}): Promise<EvalResult> {
    return evaluateRun(this, data, options);
  }

  #form(): PictureForm {
    return this.plan.data.form as PictureForm;
  }

  /** Pictures in memory as uint8 [N, C, H, W]. */
  #stack(pictures: readonly Uint8Array[]): Tensor {
    const { height, width, channels } = this.#form();
    const bytes = new Uint8Array(pictures.length * height * width * channels);
    for (const [i, picture] of pictures.entries()) bytes.set(picture, i * picture.length);
    return torch.fromBuffer(bytes, { shape: [pictures.length, height, width, channels] }).permute(0, 3, 1, 2);
  }

  /** Exactly what the validation did to its pictures. */
  #normalised(input: Tensor): Tensor {
    const count = input.shape[0] as number;
    const rows = torch.zeros([count], { dtype: 'int64' });
    const context = { seed: 0, epoch: 0, samples: new Array<number>(count).fill(0), classes: this.classes.length };
    return (inputTransform(this.plan) as BatchTransform)({ input, target: rows, index: rows }, context).input;
  }

  /** `probabilities` of pictures as they come, over several views of each. */
  #averaged(pictures: Tensor): Tensor {
    return torch.noGrad(() => {
      const placed = placeInput(this.#normalised(pictures), this.machine);
      const { multiLabel } = this;
      const logits = averagedLogits(this.model, placed, this.machine, { views: viewsFor(this.plan), multiLabel });
      return multiLabel ? logits.sigmoid() : logits.softmax(1);
    });
  }

  #answers(input: Tensor, { top = 3, probabilities: all = false, tta = false }: PredictOptions): Prediction[] {
    return torch.scope(() => {
      const shares = tta ? this.#averaged(input) : this.probabilities(input);
      const values = shares.cpu().contiguous().toTypedArray() as Float32Array;
      const { classes } = this;
      return Array.from({ length: input.shape[0] as number }, (_, row): Prediction => {
        const own = values.subarray(row * classes.length, (row + 1) * classes.length);
        const guesses = Array.from(own, (probability, i): Guess => ({ label: classes[i] as string, probability }))
          .sort((a, b) => b.probability - a.probability)
          .slice(0, top);
        return { guesses, ...(all ? { probabilities: [...own] } : {}) };
      });
    });
  }

  #predictRows(rows: readonly RowInput[], options: PredictOptions): Prediction[] {
    if (rows.length === 0) return [];
    if (options.tta === true)
      throw new RunError(
        `${this.folder}: this run was trained on ${this.kind}s; several views (tta) are for pictures.`,
      );
    if (this.#rows === undefined && rows.every((row) => (row as unknown) instanceof Tensor))
      return this.#answers(torch.stack(rows as unknown as Tensor[]), options);
    if (this.#rows === undefined)
      throw new RunError(`${this.folder}: this run was trained on tensors; give tensors like their rows.`);
    return this.#answers(featuresOf(rows, this.#rows), options);
  }

  async *#predictFiles(files: readonly string[], options: PredictOptions): AsyncGenerator<Prediction> {
    const { batchSize = 64, workers = 'auto' } = options;
    const dataset = new PictureSamples(
      { name: 'pictures', root: path.resolve(), length: files.length, classes: ['unknown'] },
      {
        name: (i) => String(i),
        labels: () => [0],
        location: (i) => ({ kind: 'file', path: files[i] as string }),
      },
    );
    const loader = new DataLoader({ dataset, batchSize, workers, cache: false, form: this.#form() });
    let next = 0;
    const bad = (): Prediction => {
      const skip = loader.report().skipped.find(({ name }) => name === String(next));
      const file = files[next++] as string;
      const reason = skip?.reason ?? 'it cannot be read';
      return { file, guesses: [], error: reason.includes(file) ? reason : `${file}: ${reason}` };
    };
    try {
      for await (const batch of loader) {
        const answers = this.#answers(batch.input, options);
        for (const [i, position] of (batch.index.toTypedArray() as BigInt64Array).entries()) {
          while (next < Number(position)) yield bad();
          yield { file: files[next++] as string, ...(answers[i] as Prediction) };
        }
      }
      while (next < files.length) yield bad();
    } finally {
      await loader.close();
    }
  }
}

/** Whether it is one thing to predict, and no list of them. */
function isOne(input: PredictInput | Iterable<PredictInput>): input is PredictInput {
  if (typeof input === 'string' || input instanceof Uint8Array || input instanceof Tensor) return true;
  return isRawPicture(input) || !(Symbol.iterator in (input as object));
}

export interface LoadRunOptions {
  /** The network, for a run that was given its own. */
  readonly model?: Classifier;
}

/**
 * A finished run, or an ensemble, ready to predict: `const model = await loadRun('runs/2026-11-22-flowers'); await model.predict('a.jpg')`.
 * @throws RunError when the folder holds none, or one that is not finished
 */
export async function loadRun(folder: string, options: LoadRunOptions = {}): Promise<LoadedRun> {
  const plan = planOf(folder);
  const model = await loadModel(folder, plan, options.model);
  const hasRows = plan.data.form === undefined && existsSync(path.join(folder, normalisationFile));
  const rows = hasRows ? readNormaliser(folder) : undefined;
  // Elsewhere than it was trained there may be no such device.
  const machine: Machine = { ...plan.machine, device: 'cpu', precision: 'float32', threads: torch.getNumThreads() };
  placeModel(model, machine);
  return new LoadedRun(path.resolve(folder), plan, model, machine, rows);
}
