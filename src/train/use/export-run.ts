/** A finished run as one file for other programs: safetensors, PyTorch's own form, or ONNX. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as nn from '../../nn/index.js';
import { type OnnxOptions, toOnnx } from '../../onnx/index.js';
import { packageRoot } from '../../torch/engine.js';
import { type Tensor, torch } from '../../torch/index.js';
import { readRecord, writeFileAtomic } from '../../track/index.js';
import type { Classifier } from '../compute.js';
import { ConfigError, RunError } from '../errors.js';
import type { TrainPlan } from '../plan.js';
import type { LoadedRun } from '../predict.js';

export const exportFormats = ['safetensors', 'pt', 'onnx'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** How pictures lie in the input of an ONNX file that normalises by itself. */
export type PictureLayout = 'nchw' | 'nhwc';

export interface ExportOptions {
  readonly format: ExportFormat;
  /** Only ONNX: takes uint8 pictures, 0 to 255, in this layout and normalises them itself. Default: normalised float32, NCHW. */
  readonly withNormalisation?: PictureLayout;
  /** Only ONNX: gives probabilities instead of logits. Default false. */
  readonly softmax?: boolean;
  /** Only ONNX: version of the operators, see `toOnnx`. */
  readonly opset?: number;
}

/** What stands in the file beside the weights, as words. */
export function exportMetadata(run: LoadedRun): Record<string, string> {
  const { plan } = run;
  const { form, statistics } = plan.data;
  const record = readRecord(run.folder);
  const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return {
    format: 'pt',
    praxis: version,
    run: path.basename(run.folder),
    created: record.created,
    model: plan.ensemble === undefined ? plan.model.name : 'ensemble',
    model_options: JSON.stringify(plan.ensemble ?? plan.model.options),
    classes: JSON.stringify(run.classes),
    multi_label: String(run.multiLabel),
    ...(form === undefined
      ? {}
      : { input_size: JSON.stringify([form.channels, form.height, form.width]), resize: form.fit }),
    ...(statistics === undefined ? {} : { mean: JSON.stringify(statistics.mean), std: JSON.stringify(statistics.std) }),
    ...(run.rowNormaliser === undefined
      ? {}
      : { features: JSON.stringify(run.rowNormaliser.features), normalisation: JSON.stringify(run.rowNormaliser) }),
  };
}

/** A network with what goes before and after it when it is used. */
class Deployed extends nn.Module {
  model: Classifier;
  readonly #layout: PictureLayout | undefined;
  readonly #statistics: TrainPlan['data']['statistics'];
  readonly #last: 'softmax' | 'sigmoid' | undefined;

  constructor(run: LoadedRun, layout: PictureLayout | undefined, probabilities: boolean) {
    super();
    this.model = run.model;
    this.#layout = layout;
    this.#statistics = run.plan.data.statistics;
    this.#last = probabilities ? (run.multiLabel ? 'sigmoid' : 'softmax') : undefined;
  }

  #normalised(pictures: Tensor): Tensor {
    const ordered = this.#layout === 'nhwc' ? pictures.permute(0, 3, 1, 2) : pictures;
    const scaled = ordered.to('float32').div(255);
    if (this.#statistics === undefined) return scaled;
    const column = (values: readonly number[]): Tensor => torch.tensor([...values]).view([1, -1, 1, 1]);
    return scaled.sub(column(this.#statistics.mean)).div(column(this.#statistics.std));
  }

  override forward(input: Tensor): Tensor {
    const logits = this.model.call(this.#layout === undefined ? input : this.#normalised(input));
    if (this.#last === undefined) return logits;
    return this.#last === 'sigmoid' ? logits.sigmoid() : logits.softmax(1);
  }
}

/** The shape of one sample as the network takes it. */
function sampleShape(run: LoadedRun): number[] {
  const { form } = run.plan.data;
  if (form !== undefined) return [form.channels, form.height, form.width];
  if (run.rowNormaliser !== undefined) return [run.rowNormaliser.features.length];
  const { channels = 1, size } = run.plan.model.options;
  if (size === undefined)
    throw new RunError(`${run.folder}: it does not say what shape its inputs have; call toOnnx(run.model, example).`);
  return size[0] === 1 && channels === 1 ? [size[1]] : [channels, ...size];
}

/** The bytes of the run's model as ONNX. @throws OnnxError, RunError */
export function runToOnnx(run: LoadedRun, options: Omit<ExportOptions, 'format'> = {}): Uint8Array {
  const { withNormalisation: layout, softmax = false, opset } = options;
  if (layout !== undefined && run.plan.data.form === undefined)
    throw new RunError(
      `${run.folder}: this run was trained on ${run.kind}s, whose normalisation is not exported; leave --with-normalisation away.`,
    );
  const shape = sampleShape(run);
  const [channels = 1, height = 1, width = 1] = shape;
  const example =
    layout === undefined
      ? torch.zeros([2, ...shape])
      : torch.zeros(layout === 'nchw' ? [2, ...shape] : [2, height, width, channels], { dtype: 'uint8' });
  const plain = layout === undefined && !softmax;
  const settings: OnnxOptions = {
    inputNames: ['input'],
    outputNames: [softmax ? 'probabilities' : 'logits'],
    metadata: exportMetadata(run),
    name: path.basename(run.folder),
    ...(opset === undefined ? {} : { opset }),
  };
  return toOnnx(plain ? run.model : new Deployed(run, layout, softmax).eval(), example, settings);
}

/**
 * Writes the chosen model of a run to a file, whole or not at all: weights under PyTorch's names (`safetensors` with classes, normalisation
 * and model in its header; `pt` for `torch.load(weights_only=True)`), or the whole network (`onnx`).
 * @throws OnnxError, RunError; FileWriteError when it cannot be written
 */
export async function exportRun(run: LoadedRun, file: string, options: ExportOptions): Promise<void> {
  const { format } = options;
  if (!exportFormats.includes(format))
    throw new ConfigError(`format must be ${exportFormats.join(', ')}, got '${String(format)}'.`);
  if (format !== 'onnx')
    for (const name of ['withNormalisation', 'softmax', 'opset'] as const)
      if (options[name] !== undefined && options[name] !== false)
        throw new ConfigError(`${name} is for ONNX: a file of ${format} holds weights only.`);
  if (format === 'onnx') return writeFileAtomic(file, runToOnnx(run, options));
  const state = Object.entries(run.model.stateDict()).map(([name, tensor]) => [name, tensor.contiguous()]);
  await torch.save(Object.fromEntries(state), file, {
    format,
    ...(format === 'safetensors' ? { metadata: exportMetadata(run) } : {}),
  });
}
