/**
 * What TensorBoard gets besides the curves: the network as a graph, pictures of samples and of mistakes, how weights and gradients are
 * distributed, the confusion matrix, hyperparameters. All logging together is to stay below a percent of the training: histograms, which cost
 * the most, wait while it is above half of that.
 */
import { existsSync, readFileSync } from 'node:fs';
import { decodePicture } from '../data/pictures/decode.js';
import type { PictureDataset, PictureForm } from '../data/types.js';
import { type Tensor, torch } from '../torch/index.js';
import type { SummaryWriter } from '../track/index.js';
import { drawConfusion } from './confusion-svg.js';
import type { Evaluation } from './evaluate.js';
import type { Training } from './loop.js';
import { totalUpdates } from './plan.js';
import { samplesFile } from './recipe/samples.js';

/** Of each tensor so many values, evenly spaced, make its histogram. */
const mostValues = 4096;
/** Share of the training's time that logging may have taken, all of it, when histograms are drawn. */
const mostShare = 0.005;
/** Assumed of the first ones, seconds: for each tensor, and for each value. */
const guess = { tensor: 2e-4, value: 1e-7 };
const mistakesShown = 16;

/** Up to so many values of a tensor, from its beginning to its end. */
export function someValues(tensor: Tensor): Float32Array {
  return torch.scope(() =>
    torch.noGrad(() => {
      const flat = tensor.detach().flatten();
      const every = Math.ceil(flat.numel() / mostValues);
      const some = every > 1 ? flat.at(`::${every}`) : flat;
      return (some.cpu().float().contiguous().toTypedArray() as Float32Array).slice();
    }),
  );
}

const guessOf = (model: Training['model']): number =>
  2 * model.parameters().reduce((sum, one) => sum + guess.tensor + guess.value * Math.min(mostValues, one.numel()), 0);

/** Watches one training for TensorBoard. */
export class Tracking {
  readonly #writer: SummaryWriter;
  #spent = 0;
  /** What histograms cost the last time, seconds. */
  #cost: number | undefined;

  constructor(writer: SummaryWriter) {
    this.#writer = writer;
  }

  /** Seconds for which the training stood still because something was noted, drawn or written: all of it, in all sessions. */
  get seconds(): number {
    return this.#spent;
  }

  /** What sessions before this one spent, or the recipe before the training began. */
  spentBefore(seconds: number): void {
    this.#spent = Math.max(this.#spent, seconds);
  }

  /** Counts what waiting for the disk takes. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    const before = performance.now();
    try {
      return await work;
    } finally {
      this.#spent += (performance.now() - before) / 1000;
    }
  }

  /** Does what is only done for the record, and counts the time. */
  timed<T>(work: () => T): T {
    const before = performance.now();
    try {
      return work();
    } finally {
      this.#spent += (performance.now() - before) / 1000;
    }
  }

  /** Logging must not end a run, whatever it stumbles over. */
  #quietly(training: Training, what: string, work: () => void): void {
    try {
      this.timed(work);
    } catch (error) {
      training.run.warn(`TensorBoard gets no ${what}: ${(error as Error).message.split('\n')[0]}`);
    }
  }

  /** The graph and the samples. */
  begin(training: Training): void {
    const { model, plan, run } = training;
    this.#quietly(training, 'graph', () => {
      const shape = inputShape(training);
      if (shape === undefined) return;
      model.eval();
      torch.noGrad(() => this.#writer.addGraph(model, torch.zeros([1, ...shape], { device: plan.machine.device })));
    });
    const file = run.file(samplesFile);
    if (existsSync(file))
      this.#quietly(training, 'samples', () =>
        this.#writer.addFigure('samples/training, as the network gets them', readFileSync(file)),
      );
  }

  /** Before a step: in the last one of an epoch the gradients are looked at before they are used and forgotten. */
  beforeStep(training: Training): void {
    const { progress, plan, stepper, model } = training;
    if ((progress.step + 1) % plan.optimisation.batches !== 0) return;
    const last = progress.step + 1 === plan.optimisation.batches * plan.optimisation.epochs;
    this.#cost ??= guessOf(model);
    // Every run has those of its last epoch.
    if (!last && this.#spent + this.#cost > mostShare * progress.seconds) return;
    stepper.beforeUpdate = () => {
      const before = this.#spent;
      this.#quietly(training, 'histograms', () => {
        for (const [name, parameter] of training.model.namedParameters()) {
          this.#writer.addHistogram(`weights/${name}`, someValues(parameter), progress.step + 1);
          if (parameter.grad !== null)
            this.#writer.addHistogram(`gradients/${name}`, someValues(parameter.grad), progress.step + 1);
        }
      });
      this.#cost = this.#spent - before;
    };
  }

  /** The result: figures against hyperparameters, the confusion matrix, the surest mistakes. */
  async end(training: Training, evaluation: Evaluation, epoch: number): Promise<void> {
    const { plan, progress } = training;
    const { step } = progress;
    this.#quietly(training, 'hyperparameters', () =>
      this.#writer.addHparams(
        hyperParameters(training),
        { 'result/score': evaluation.score, 'result/loss': evaluation.loss, 'result/epoch': epoch },
        step,
      ),
    );
    const said = training.run.file('stages.jsonl');
    if (existsSync(said))
      this.#quietly(training, 'text', () => {
        const lines = readFileSync(said, 'utf8').trim().split('\n');
        const rows = lines.map((line) => JSON.parse(line) as { kind: string; stage?: string; text: string });
        const table = rows.map(({ kind, stage = kind, text }) => `| ${stage} | ${text.replaceAll('|', '\\|')} |`);
        this.#writer.addText('run/step by step', ['| step | |', '|---|---|', ...table].join('\n'), step);
      });
    const { report, predictions } = evaluation;
    if (!('confusion' in report)) return;
    this.#quietly(training, 'confusion matrix', () =>
      this.#writer.addFigure('result/confusion matrix', drawConfusion(report.confusion, plan.data.classes), step),
    );
    this.#quietly(training, 'precision-recall curves', () => {
      const classes = plan.data.classes.length;
      const labels = predictions.target as readonly number[];
      // A tab of a hundred curves shows nothing.
      for (const [label, name] of plan.data.classes.entries()) {
        if (classes > 20) break;
        const of = Float32Array.from(labels, (_, row) =>
          Math.min(1, predictions.probabilities[row * classes + label] as number),
        );
        this.#writer.addPrCurve(
          `precision and recall/${name}`,
          labels.map((one) => Number(one === label)),
          of,
          step,
        );
      }
    });
    const mistakes = this.#mistakes(training, evaluation).catch((error: Error) =>
      training.run.warn(`TensorBoard gets no pictures of mistakes: ${error.message.split('\n')[0]}`),
    );
    await this.waiting(mistakes);
  }

  async #mistakes({ plan, validation, progress }: Training, { predictions }: Evaluation): Promise<void> {
    const { dataset } = validation;
    const { form, classes } = plan.data;
    if (dataset.kind !== 'pictures' || form === undefined) return;
    const rows = surestMistakes(predictions, classes.length).slice(0, mistakesShown);
    if (rows.length === 0) return;
    const pictures = await decodeAll(
      dataset,
      rows.map(({ row }) => predictions.index[row] as number),
      form,
    );
    const { height, width, channels } = form;
    this.#writer.addImages(
      'result/surest mistakes',
      { shape: [rows.length, height, width, channels], dtype: 'uint8', toTypedArray: () => pictures },
      progress.step,
      { format: 'NHWC' },
    );
    const lines = rows.map(
      ({ row, said, sure }) =>
        `| ${dataset.sampleName(predictions.index[row] as number)} | ${classes[predictions.target[row] as number]} | ${classes[said]} | ${(100 * sure).toFixed(1)} % |`,
    );
    this.#writer.addText(
      'result/surest mistakes',
      ['| name | is | taken for | sure |', '|---|---|---|---|', ...lines].join('\n'),
      progress.step,
    );
  }
}

/** Rows whose most probable class is not theirs, the most confident first. */
function surestMistakes({ target, probabilities }: Evaluation['predictions'], classes: number) {
  return target
    .map((label, row) => {
      const own = probabilities.subarray(row * classes, (row + 1) * classes);
      const said = own.reduce((best, value, i) => (value > (own[best] as number) ? i : best), 0);
      return { row, said, sure: own[said] as number, wrong: said !== label };
    })
    .filter(({ wrong }) => wrong)
    .sort((a, b) => b.sure - a.sure);
}

async function decodeAll(dataset: PictureDataset, places: readonly number[], form: PictureForm): Promise<Uint8Array> {
  const each = form.height * form.width * form.channels;
  const all = new Uint8Array(places.length * each);
  await Promise.all(
    places.map(async (place, i) => all.set(await decodePicture(dataset.location(place), form), i * each)),
  );
  return all;
}

/** Shape of one sample as the network takes it. */
function inputShape({ plan, train }: Training): number[] | undefined {
  const { form } = plan.data;
  if (form !== undefined) return [form.channels, form.height, form.width];
  return train.dataset.kind === 'tensors' ? train.dataset.input.shape.slice(1) : undefined;
}

function hyperParameters({ plan }: Training): Record<string, number | string | boolean> {
  const { optimisation: o, model, augmentation, machine, data, seed } = plan;
  return {
    model: model.name === '' ? 'own' : model.name,
    optimizer: o.optimizer,
    learningRate: o.learningRate,
    weightDecay: o.weightDecay,
    batchSize: o.batchSize,
    epochs: o.epochs,
    updates: totalUpdates(o),
    schedule: o.schedule,
    labelSmoothing: o.labelSmoothing,
    movingAverage: o.ema ?? 0,
    augmentation: augmentation?.preset ?? 'none',
    progressive: o.progressive !== undefined,
    size: data.form === undefined ? 0 : data.form.height,
    precision: machine.precision,
    seed,
  };
}
