/** `SummaryWriter`, with the names of PyTorch's: what is logged here, TensorBoard shows. */

import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AnyModule } from '../../nn/module.js';
import { AppendLog, type AppendLogStatus } from '../append-log.js';
import { curveOf } from './curve.js';
import {
  curveValue,
  event,
  fileVersion,
  graph,
  graphDefinition,
  type HyperParameter,
  histogramValue,
  hyperParameterValues,
  imageValue,
  scalarValue,
  sessionStart,
  summary,
  textValue,
} from './events.js';
import { traceGraph } from './graph.js';
import type { Field } from './protobuf.js';
import { frame } from './records.js';
import { flat, histogramOf, type ImageFormat, type Numbers, pixelsOf, single, type TensorLike } from './values.js';

export interface SummaryWriterOptions {
  /** A run that goes on from this step: TensorBoard drops what was logged at and beyond it before. */
  readonly purgeStep?: number;
  /** Longest time that something logged waits in memory, seconds. Default 2. */
  readonly flushSeconds?: number;
  /** Ends the file's name. */
  readonly filenameSuffix?: string;
  /** Gets one sentence when writing begins to fail, and one when it works again. Default: stderr. */
  readonly onWarning?: (sentence: string) => void;
}

export interface LogOptions {
  /** When it was measured, seconds since 1970. Default: now. */
  readonly wallTime?: number;
}

export interface ImageOptions extends LogOptions {
  /** Which dimension is which. Default `CHW`, and `NCHW` for `addImages`. */
  readonly format?: ImageFormat;
}

let files = 0;

/**
 * Writes event files that TensorBoard reads: `tensorboard --logdir FOLDER`.
 *
 * Nothing waits for the disk, and nothing the disk does ends the run: see `AppendLog`. Wrong arguments throw a TypeError. Tensors are
 * read when they are given; they may change afterwards.
 *
 * Source: https://docs.pytorch.org/docs/stable/tensorboard.html
 */
export class SummaryWriter {
  /** Absolute path. */
  readonly folder: string;
  /** The event file; it appears with the first flush. */
  readonly file: string;
  readonly #options: SummaryWriterOptions;
  readonly #log: AppendLog;
  readonly #children = new Map<string, SummaryWriter>();
  /** Images that are being encoded. */
  readonly #encoding = new Set<Promise<void>>();

  constructor(folder: string, options: SummaryWriterOptions = {}) {
    this.folder = path.resolve(folder);
    this.#options = options;
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    const name = `events.out.tfevents.${seconds}.${os.hostname()}.${process.pid}.${files++}${options.filenameSuffix ?? ''}`;
    this.file = path.join(this.folder, name);
    this.#log = new AppendLog(this.file, {
      interval: (options.flushSeconds ?? 2) * 1000,
      limit: 16 * 2 ** 20,
      ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
    });
    try {
      mkdirSync(this.folder, { recursive: true });
    } catch {
      // The log says it, once, when it cannot write.
    }
    this.#add(0, fileVersion());
    if (options.purgeStep !== undefined) this.#add(options.purgeStep, sessionStart());
  }

  #add(step: number, content: Field, wallTime = Date.now() / 1000): void {
    if (!Number.isSafeInteger(step)) throw new TypeError(`A step must be an integer, got ${step}.`);
    this.#log.append(frame(event(wallTime, step, content)));
  }

  /** One number. */
  addScalar(tag: string, value: number | TensorLike, step = 0, options: LogOptions = {}): void {
    this.#add(step, summary(scalarValue(tag, single(value, `addScalar('${tag}')`))), options.wallTime);
  }

  /** Several numbers for one chart: each becomes a run of its own in a folder below, as in PyTorch. */
  addScalars(
    mainTag: string,
    values: Readonly<Record<string, number | TensorLike>>,
    step = 0,
    options: LogOptions = {},
  ): void {
    for (const [tag, value] of Object.entries(values)) {
      const name = `${mainTag.replaceAll('/', '_')}_${tag.replaceAll('/', '_')}`;
      let child = this.#children.get(name);
      if (child === undefined) {
        const { purgeStep: _, ...rest } = this.#options;
        child = new SummaryWriter(path.join(this.folder, name), rest);
        this.#children.set(name, child);
      }
      child.addScalar(mainTag, value, step, options);
    }
  }

  /** How the values of a tensor are distributed. NaN and infinities are in no bucket. Takes some 50 ms per million values. */
  addHistogram(tag: string, values: Numbers, step = 0, options: LogOptions = {}): void {
    const numbers = flat(values, `addHistogram('${tag}')`);
    if (numbers.length === 0) throw new TypeError(`addHistogram('${tag}'): there are no values.`);
    const histogram = histogramOf(numbers);
    if (histogram === null) return;
    this.#add(step, summary(histogramValue(tag, histogram)), options.wallTime);
  }

  /** An image: uint8 0…255, or floats 0…1. [C, H, W] unless `format` says otherwise; 1, 3 or 4 channels. */
  addImage(tag: string, image: TensorLike, step = 0, options: ImageOptions = {}): void {
    this.#image(tag, image, step, options, options.format ?? 'CHW', 'addImage');
  }

  /** Several images [N, C, H, W] as one, in rows of eight. */
  addImages(tag: string, images: TensorLike, step = 0, options: ImageOptions = {}): void {
    this.#image(tag, images, step, options, options.format ?? 'NCHW', 'addImages');
  }

  /**
   * A picture that is drawn already: SVG as text, or the bytes of a PNG, a JPEG or whatever else `sharp` reads. What `add_figure` is in Python.
   */
  addFigure(tag: string, figure: string | Uint8Array, step = 0, options: LogOptions = {}): void {
    if (typeof figure !== 'string' && !(figure instanceof Uint8Array))
      throw new TypeError(`addFigure('${tag}'): expected SVG as text or the bytes of a picture, got ${typeof figure}.`);
    const source = Buffer.from(figure as Uint8Array);
    this.#encode(tag, step, options, async (sharp) => {
      const { data: png, info } = await sharp(source).png().toBuffer({ resolveWithObject: true });
      return { png, width: info.width, height: info.height, channels: info.channels };
    });
  }

  #image(
    tag: string,
    image: TensorLike,
    step: number,
    options: ImageOptions,
    format: ImageFormat,
    method: string,
  ): void {
    const { data, width, height, channels } = pixelsOf(image, format, `${method}('${tag}')`);
    this.#encode(tag, step, options, async (sharp) => {
      const png = await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
      return { png, width, height, channels };
    });
  }

  /** The encoder works in the background; loaded only where images are logged. */
  #encode(
    tag: string,
    step: number,
    options: LogOptions,
    draw: (sharp: typeof import('sharp').default) => Promise<Parameters<typeof imageValue>[1]>,
  ): void {
    const wallTime = options.wallTime ?? Date.now() / 1000;
    const work = import('sharp')
      .then(({ default: sharp }) => draw(sharp))
      .then((image) => this.#add(step, summary(imageValue(tag, image)), wallTime))
      .catch((error: Error) => this.#options.onWarning?.(`The image ${tag} could not be logged: ${error.message}.`))
      .finally(() => this.#encoding.delete(work));
    this.#encoding.add(work);
  }

  /** Text; TensorBoard renders Markdown. */
  addText(tag: string, markdown: string, step = 0, options: LogOptions = {}): void {
    if (typeof markdown !== 'string') throw new TypeError(`addText('${tag}'): expected text, got ${typeof markdown}.`);
    this.#add(step, summary(textValue(tag, markdown)), options.wallTime);
  }

  /** The run's hyperparameters and its results, for TensorBoard's table of runs. The results are logged as scalars too. */
  addHparams(
    parameters: Readonly<Record<string, HyperParameter>>,
    metrics: Readonly<Record<string, number>>,
    step = 0,
    options: LogOptions = {},
  ): void {
    for (const [name, value] of Object.entries(parameters))
      if (!['number', 'string', 'boolean'].includes(typeof value))
        throw new TypeError(`addHparams: '${name}' must be a number, a string or a boolean, got ${typeof value}.`);
    for (const value of hyperParameterValues(parameters, Object.keys(metrics)))
      this.#add(0, summary(value), options.wallTime);
    for (const [tag, value] of Object.entries(metrics)) this.addScalar(tag, value, step, options);
  }

  /**
   * Precision and recall over the threshold, of a two-class problem.
   * @param labels 0 or 1 each
   * @param predictions probabilities of class 1
   */
  addPrCurve(
    tag: string,
    labels: Numbers,
    predictions: Numbers,
    step = 0,
    options: LogOptions & { readonly thresholds?: number } = {},
  ): void {
    const what = `addPrCurve('${tag}')`;
    const rows = curveOf(flat(labels, what), flat(predictions, what), options.thresholds ?? 127, what);
    this.#add(step, summary(curveValue(tag, rows)), options.wallTime);
  }

  /**
   * The modules of a network as a graph, each with its settings and the shape of its output. Runs the network once.
   * An arrow goes from a module to the one that ran with its output; what happens between modules (additions, reshaping) is not shown,
   * and the arrow then comes from the module that ran before.
   */
  addGraph(model: AnyModule, ...inputs: readonly unknown[]): void {
    this.#add(0, graphDefinition(graph(traceGraph(model, inputs))));
  }

  /** Records written, waiting and lost. */
  get status(): AppendLogStatus {
    return this.#log.status;
  }

  /** Waits until what was logged is in the files, or cannot be. Never rejects. */
  async flush(): Promise<void> {
    await Promise.all(this.#encoding);
    await Promise.all([this.#log.flush(), ...[...this.#children.values()].map((child) => child.flush())]);
  }

  /** Writes what is left. Never rejects. */
  async close(): Promise<void> {
    await this.flush();
    await Promise.all([this.#log.close(), ...[...this.#children.values()].map((child) => child.close())]);
  }
}
