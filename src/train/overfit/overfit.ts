/** Where in a network overfitting sits: what linear probes read after every layer, on training and on validation pictures. */

import path from 'node:path';
import { loadSplit } from '../../data/split/index.js';
import type { Dataset } from '../../data/types.js';
import { functional as F } from '../../nn/index.js';
import { type Drawing, drawSvg } from '../../optim/draw.js';
import { type Tensor, torch } from '../../torch/index.js';
import { turn } from '../../torch/turn.js';
import { writeFileAtomic } from '../../track/index.js';
import { evaluationLoader } from '../build.js';
import { type Classifier, placeInput, placeModel } from '../compute.js';
import { RunError } from '../errors.js';
import { type Interval, wilson } from '../metrics.js';
import type { TrainPlan } from '../plan.js';
import { openData } from '../recipe/data.js';
import { narrowed } from '../recipe/part.js';
import { loadModel, openOptionsOf, planOf } from '../recipe/record.js';
import { readyParts } from '../recipe/rows.js';
import { layerGroups, pooled } from './layers.js';
import { linearProbe, type ProbeData, type ProbeResult } from './probe.js';

export interface LayerProbe {
  readonly name: string;
  /** Numbers that the layer gives per sample, pictures averaged over their places. */
  readonly width: number;
  /** Accuracy of the probe. */
  readonly train: number;
  readonly validation: number;
  /** Training less validation: what the layer knows of these very samples and not of others. */
  readonly gap: number;
  /** 95 %, Wilson's, of the validation accuracy. */
  readonly interval: Interval;
}

export interface ClassGap {
  readonly name: string;
  readonly train: number;
  readonly validation: number;
  readonly gap: number;
}

export interface LateSample {
  readonly name: string;
  readonly label: string;
  /** The first layer from which on every probe names it rightly. */
  readonly layer: string;
}

export interface OverfitReport {
  readonly run: string;
  readonly samples: { readonly train: number; readonly validation: number };
  /** Features of every probe. */
  readonly features: number;
  readonly layers: readonly LayerProbe[];
  /** Spearman's rank correlation of depth and gap: 1 where each layer overfits more than the one before it. */
  readonly trend: number;
  /** By how much the gap grows from the first layer to the last hidden one; chance alone may move it so far (95 %). */
  readonly growth: { readonly value: number; readonly within: number };
  /** By class, at the network's own output: what it knows of its training samples and not of others. */
  readonly classes: readonly ClassGap[];
  /**
   * Training samples that only the last layers name rightly, deepest first: no straight line through what the others give does. They are
   * odd, hard, wrongly labelled, or learnt by heart. At most 24.
   */
  readonly late: readonly LateSample[];
  /** How many there are in all. */
  readonly lateCount: number;
  /** What it says, in a sentence or two. */
  readonly text: string;
}

export interface OverfitOptions {
  readonly data?: string | Dataset;
  /** Most training samples to look at. Default 4000; those of each class in proportion. */
  readonly samples?: number;
  /** Inputs of each probe at most. Default 64. */
  readonly features?: number;
  readonly onProgress?: (text: string, share: number) => void;
}

/** Activations after every group, and the input itself, of all samples of a part. */
async function activations(
  model: Classifier,
  part: Dataset,
  plan: TrainPlan,
  onBatch: (share: number) => void,
): Promise<{ names: string[]; parts: ProbeData[] }> {
  const groups = layerGroups(model);
  const found = new Map<string, Tensor[]>();
  const targets: Tensor[] = [];
  let now = new Map<string, Tensor>();
  const hooks = groups.map(({ name, last }) =>
    last.registerForwardHook((_module, _inputs, output) => {
      const row = pooled(output);
      if (row !== undefined) now.set(name, row);
    }),
  );
  const loader = evaluationLoader(part, plan, 64);
  let done = 0;
  try {
    for await (const batch of loader) {
      const rows = torch.scope(() =>
        torch.noGrad(() => {
          now = new Map();
          const input = placeInput(batch.input, plan.machine);
          now.set('input', pooled(input.ndim === 4 ? coarse(input) : input) as Tensor);
          model.call(input);
          return [...now].map(([name, row]) => [name, row.cpu().contiguous()] as const);
        }),
      );
      for (const [name, row] of rows) found.set(name, [...(found.get(name) ?? []), row]);
      targets.push(batch.target);
      onBatch(++done / loader.length);
      await turn();
    }
  } finally {
    for (const hook of hooks) hook.remove();
    await loader.close();
  }
  const target = torch.cat(targets.map((one) => one.cpu()));
  // A layer that was not called for each batch, or twice, is left out.
  const whole = [...found].filter(([, rows]) => rows.length === targets.length);
  return { names: whole.map(([name]) => name), parts: whole.map(([, rows]) => ({ input: torch.cat(rows), target })) };
}

/** A picture as 4 × 4 coarse pixels, laid out as a row: what can be known before the first layer. */
const coarse = (input: Tensor): Tensor => F.adaptiveAvgPool2d(input, [4, 4]).flatten(1);

/** Ranks, equal values sharing the middle of theirs. */
function ranks(values: readonly number[]): number[] {
  return values.map(
    (value) =>
      values.filter((other) => other < value).length + (values.filter((other) => other === value).length - 1) / 2,
  );
}

/** Spearman's rank correlation of values with their places; 0 where they are all the same. */
export function trendOf(values: readonly number[]): number {
  const order = ranks(values);
  const middle = (values.length - 1) / 2;
  let [both, own, place] = [0, 0, 0];
  for (const [i, rank] of order.entries()) {
    both += (rank - middle) * (i - middle);
    own += (rank - middle) ** 2;
    place += (i - middle) ** 2;
  }
  return own === 0 || place === 0 ? 0 : both / Math.sqrt(own * place);
}

const points = (x: number): string => (100 * x).toFixed(1);

/** How much the gap grows from one layer to another, and how far chance alone may move that: 95 %, sample by sample. */
function growth(from: ProbeResult, to: ProbeResult): { readonly value: number; readonly within: number } {
  const part = (name: 'train' | 'validation') => {
    const differences = Array.from(to.right[name], (right, i) => right - (from.right[name][i] as number));
    const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
    const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / differences.length;
    return { mean, error: variance / differences.length };
  };
  const [train, validation] = [part('train'), part('validation')];
  return { value: train.mean - validation.mean, within: 1.96 * Math.sqrt(train.error + validation.error) };
}

/** The course's claim, held against what was measured. @param layers without the input */
function verdict(
  layers: readonly LayerProbe[],
  trend: number,
  { value, within }: { readonly value: number; readonly within: number },
): string {
  const [first, last] = [layers[0] as LayerProbe, layers.at(-1) as LayerProbe];
  const measured = `The gap between training and validation goes from ${points(first.gap)} points after ${first.name} to ${points(last.gap)} after ${last.name}: ${value < 0 ? '' : '+'}${points(value)} ± ${points(within)}`;
  if (value > within && trend > 0) {
    const steps = layers.slice(1).map((layer, i) => ({ layer, step: layer.gap - (layers[i] as LayerProbe).gap }));
    const most = steps.reduce((a, b) => (b.step > a.step ? b : a));
    return `${measured}. Deeper layers overfit more here, as the course says; it opens most at ${most.layer.name} (${points(most.step)} points).`;
  }
  if (Math.abs(value) <= within)
    return `${measured}, which chance alone may do: this network does not show that deeper layers overfit more.`;
  return `${measured}. It does not grow with depth here.`;
}

/**
 * Probes a finished run after every layer. The network is not changed; its training pictures are seen as validation ones are, without
 * augmentation. Leaves `overfit.json` and `overfit.svg` in the run folder.
 * @throws RunError for a run that is not finished, an ensemble, or data with several labels
 */
export async function overfit(folder: string, options: OverfitOptions = {}): Promise<OverfitReport> {
  const plan = planOf(folder);
  if (plan.ensemble !== undefined)
    throw new RunError(`${folder} is an ensemble; probe one of its members, each of which overfits in its own way.`);
  if (plan.data.multiLabel)
    throw new RunError(`${folder}: probes are for data with one label per sample; this run's have several.`);
  const source = options.data ?? plan.data.path;
  if (source === '') throw new RunError(`${folder}: this run was given its data as an object; give it again.`);
  const model = await loadModel(folder, plan);
  const machine = { ...plan.machine, device: 'cpu', precision: 'float32' as const };
  placeModel(model, machine);
  const split = await loadSplit(path.join(folder, 'split.json'), await openData(source, openOptionsOf(folder)));
  const seen = narrowed(split, plan.data.part);
  const share = Math.min(1, (options.samples ?? 4000) / seen.train.length);
  const parts = readyParts(share === 1 ? seen : narrowed(seen, { share, seed: plan.seed }), folder);
  const seeing = { ...plan, machine };
  const report = (text: string) => (done: number) => options.onProgress?.(text, done);
  const train = await activations(model, parts.train, seeing, report('training pictures'));
  const validation = await activations(model, parts.validation, seeing, report('validation pictures'));
  const count = validation.parts[0]?.target.shape[0] ?? 0;
  const layers: LayerProbe[] = [];
  const probes: ProbeResult[] = [];
  for (const [i, name] of train.names.entries()) {
    const [own, other] = [train.parts[i], validation.parts[i]];
    if (own === undefined || other === undefined) continue;
    const probe = linearProbe(own, other, { classes: plan.data.classes.length, features: options.features ?? 64 });
    probes.push(probe);
    layers.push({
      name,
      width: own.input.shape[1] as number,
      train: probe.train,
      validation: probe.validation,
      gap: probe.train - probe.validation,
      interval: wilson(Math.round(probe.validation * count), count),
    });
    options.onProgress?.('probes', (i + 1) / train.names.length);
    await turn();
  }
  if (layers.length < 3)
    throw new RunError(`${folder}: fewer than two layers of this network give one row of numbers per sample.`);
  // Input and logits are shown for comparison; the claim is about layers, and the logits are only as many numbers as there are classes.
  const end = layers.length > 3 ? layers.length - 1 : layers.length;
  const deep = layers.slice(1, end);
  const trend = trendOf(deep.map(({ gap }) => gap));
  const grown = growth(probes[1] as ProbeResult, probes[end - 1] as ProbeResult);
  const result: OverfitReport = {
    run: path.resolve(folder),
    samples: { train: parts.train.length, validation: count },
    features: options.features ?? 64,
    layers,
    trend,
    growth: grown,
    ...learntLate(probes, layers, train.parts[0] as ProbeData, parts.train, plan.data.classes),
    classes: gapsByClass(
      probes.at(-1) as ProbeResult,
      train.parts[0] as ProbeData,
      validation.parts[0] as ProbeData,
      plan.data.classes,
    ),
    text: verdict(deep, trend, grown),
  };
  await writeFileAtomic(path.join(folder, 'overfit.json'), `${JSON.stringify(result, null, 2)}\n`);
  await writeFileAtomic(path.join(folder, 'overfit.svg'), await drawSvg(drawingOf(result)));
  return result;
}

const labelsOf = ({ target }: ProbeData): number[] => [...(target.toTypedArray() as BigInt64Array)].map(Number);

function gapsByClass(
  { right }: ProbeResult,
  train: ProbeData,
  validation: ProbeData,
  classes: readonly string[],
): ClassGap[] {
  const shares = ([train, validation] as const).map((part, i) => {
    const sums = classes.map(() => ({ right: 0, all: 0 }));
    const own = i === 0 ? right.train : right.validation;
    for (const [row, label] of labelsOf(part).entries()) {
      const sum = sums[label] as { right: number; all: number };
      sum.all += 1;
      sum.right += own[row] as number;
    }
    return sums.map((sum) => sum.right / sum.all);
  });
  return classes.map((name, i) => {
    const [own, other] = [shares[0]?.[i] as number, shares[1]?.[i] as number];
    return { name, train: own, validation: other, gap: own - other };
  });
}

/**
 * The depth from which on a sample is named rightly. Source: Baldock, Maennel & Neyshabur, "Deep learning through the lens of example
 * difficulty" (2021), with linear probes in place of nearest neighbours
 */
function learntLate(
  probes: readonly ProbeResult[],
  layers: readonly LayerProbe[],
  part: ProbeData,
  dataset: Dataset,
  classes: readonly string[],
): Pick<OverfitReport, 'late' | 'lateCount'> {
  const labels = labelsOf(part);
  const found: { row: number; depth: number }[] = [];
  // The last quarter of the layers, the logits at least.
  const from = Math.max(1, Math.ceil(0.75 * (probes.length - 1)));
  for (let row = 0; row < labels.length; row++) {
    let depth = probes.length;
    while (depth > 0 && probes[depth - 1]?.right.train[row] === 1) depth -= 1;
    if (depth >= from && depth < probes.length) found.push({ row, depth });
  }
  found.sort((a, b) => b.depth - a.depth || a.row - b.row);
  return {
    lateCount: found.length,
    late: found.slice(0, 24).map(({ row, depth }) => ({
      name: dataset.sampleName(row),
      label: classes[labels[row] as number] as string,
      layer: layers[depth]?.name as string,
    })),
  };
}

/** Accuracy over depth, the two parts apart. */
export function drawingOf({ layers, run }: OverfitReport): Drawing {
  const x = layers.map((_, i) => i);
  return {
    title: `Linear probes after every layer: ${path.basename(run)}`,
    xLabel: 'depth: 0 is the input, the last the logits',
    yLabel: 'accuracy of the probe',
    lines: [
      { name: 'training part', x, y: layers.map(({ train }) => train) },
      { name: 'validation part', x, y: layers.map(({ validation }) => validation) },
    ],
  };
}
