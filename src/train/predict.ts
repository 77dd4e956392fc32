/** Using a run: the chosen model, its classes and its normalisation, ready for pictures. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { BatchTransform, PictureForm } from '../data/types.js';
import { torch } from '../torch/index.js';
import { inputTransform } from './build.js';
import { type Classifier, logitsOf, type Machine, placeInput, placeModel } from './compute.js';
import { RunError } from './errors.js';
import { buildPicture } from './picture.js';
import type { TrainPlan } from './plan.js';
import { loadModel, planOf } from './recipe/record.js';
import { averagedLogits, viewsFor } from './views.js';

/** A class with its probability. */
export interface Guess {
  readonly label: string;
  readonly probability: number;
}

/** What a model says of one picture; `error` where it cannot be read. */
export interface Prediction {
  readonly file: string;
  /** Most probable first. */
  readonly guesses: readonly Guess[];
  readonly error?: string;
}

export interface PredictOptions {
  /** How many classes to name. Default 3. */
  readonly top?: number;
  readonly batchSize?: number;
  /** Test-time augmentation: look at each picture several times, a little moved and mirrored, and average the answers. Default false. */
  readonly tta?: boolean;
}

/** A finished run as a classifier of pictures. */
export class LoadedRun {
  /** @internal Use `loadRun`. */
  constructor(
    readonly folder: string,
    readonly plan: TrainPlan,
    readonly model: Classifier,
    readonly machine: Machine,
  ) {}

  get classes(): readonly string[] {
    return this.plan.data.classes;
  }

  /** Predictions for files, in their order. A picture that cannot be read gets an `error`, the others their guesses. */
  async *predictEach(files: Iterable<string>, options: PredictOptions = {}): AsyncGenerator<Prediction> {
    const { top = 3, batchSize = 32 } = options;
    const list = [...files];
    for (let start = 0; start < list.length; start += batchSize) {
      const names = list.slice(start, start + batchSize);
      const pictures = await Promise.all(names.map((file) => buildPicture(file, this.plan)));
      const good = pictures.flatMap((picture, i) => (picture instanceof Error ? [] : [{ picture, i }]));
      const guesses =
        good.length === 0
          ? []
          : this.#guess(
              good.map(({ picture }) => picture),
              top,
              options.tta ?? false,
            );
      for (const [i, file] of names.entries()) {
        const picture = pictures[i];
        const place = good.findIndex((one) => one.i === i);
        yield picture instanceof Error
          ? { file, guesses: [], error: picture.message }
          : { file, guesses: guesses[place] as Guess[] };
      }
    }
  }

  /** Predictions for files, all at once. */
  async predict(files: string | Iterable<string>, options: PredictOptions = {}): Promise<Prediction[]> {
    const found: Prediction[] = [];
    for await (const one of this.predictEach(typeof files === 'string' ? [files] : files, options)) found.push(one);
    return found;
  }

  #guess(pictures: readonly Uint8Array[], top: number, tta: boolean): Guess[][] {
    return torch.scope(() =>
      torch.noGrad(() => {
        const { height, width, channels } = this.plan.data.form as PictureForm;
        const bytes = new Uint8Array(pictures.length * height * width * channels);
        for (const [i, picture] of pictures.entries()) bytes.set(picture, i * picture.length);
        const batch = torch
          .fromBuffer(bytes, { shape: [pictures.length, height, width, channels] })
          .permute(0, 3, 1, 2);
        const rows = torch.zeros([pictures.length], { dtype: 'int64' });
        const transform = inputTransform(this.plan) as BatchTransform;
        // Exactly what the validation did to its pictures.
        const context = { seed: 0, epoch: 0, samples: pictures.map((_, i) => i), classes: this.classes.length };
        const { input } = transform({ input: batch, target: rows, index: rows }, context);
        const { multiLabel } = this.plan.data;
        const placed = placeInput(input, this.machine);
        const logits = tta
          ? averagedLogits(this.model, placed, this.machine, { views: viewsFor(this.plan), multiLabel })
          : logitsOf(this.model, placed, this.machine);
        const shares = (this.plan.data.multiLabel ? logits.sigmoid() : logits.softmax(1)).cpu().contiguous();
        const values = shares.toTypedArray() as Float32Array;
        const count = this.classes.length;
        return pictures.map((_, row) =>
          this.classes
            .map((label, i): Guess => ({ label, probability: values[row * count + i] as number }))
            .sort((a, b) => b.probability - a.probability)
            .slice(0, top),
        );
      }),
    );
  }
}

/** A finished run, ready to predict. @throws RunError when the folder holds none */
export async function loadRun(folder: string, options: { readonly model?: Classifier } = {}): Promise<LoadedRun> {
  const plan = planOf(folder);
  if (plan.data.form === undefined || plan.data.statistics === undefined)
    throw new RunError(
      `${folder}: this run was trained on rows, and praxis predict takes pictures; praxis test measures it on the sealed part.`,
    );
  const model = await loadModel(folder, plan, options.model);
  // Elsewhere than it was trained there may be no such device.
  const machine: Machine = { ...plan.machine, device: 'cpu', precision: 'float32', threads: torch.getNumThreads() };
  placeModel(model, machine);
  return new LoadedRun(path.resolve(folder), plan, model, machine);
}

/** The pictures among files and folders, folders searched through, in a stable order. @throws RunError for what is not there */
export function picturesAmong(places: readonly string[]): string[] {
  return places.flatMap((place) => {
    let isFolder: boolean;
    try {
      isFolder = statSync(place).isDirectory();
    } catch {
      throw new RunError(`${place}: there is no such file or folder.`);
    }
    if (!isFolder) return [place];
    return readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(jpe?g|png|webp|tiff?|gif|bmp|avif)$/i.test(entry.name))
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
      .sort();
  });
}
