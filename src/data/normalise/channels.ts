/**
 * Mean and deviation of each channel over the training part: one pass, exact. Each channel's values are counted, 256 counts a channel, so
 * nothing is rounded on the way, and the histograms come for nothing.
 */
import { type Tensor, torch } from '../../torch/index.js';
import { turn } from '../../torch/turn.js';
import { DataError } from '../errors.js';
import { DataLoader } from '../loader/index.js';
import type { ChannelStatistics, PictureDataset, PictureForm } from '../types.js';

/** How often each value 0…255 occurs in each channel. */
export type ChannelCounts = readonly Float64Array[];

export interface ChannelMeasurement extends ChannelStatistics {
  readonly counts: ChannelCounts;
  /** Pictures that were counted; those that cannot be read are not. */
  readonly pictures: number;
  /** Names and reasons of those that cannot be read. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface MeasureChannelsOptions {
  readonly form?: Partial<PictureForm>;
  readonly workers?: number | 'auto';
  readonly cache?: boolean;
  readonly batchSize?: number;
  /** Called after each batch. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Mean and deviation (of the population, as `numpy.std`) of counted values, in units of 0…1. */
export function statisticsOf(counts: ChannelCounts): ChannelStatistics {
  const mean: number[] = [];
  const std: number[] = [];
  for (const channel of counts) {
    let number = 0;
    let sum = 0;
    for (const [value, count] of channel.entries()) {
      number += count;
      sum += count * value;
    }
    const middle = sum / number;
    let squares = 0;
    for (const [value, count] of channel.entries()) squares += count * (value - middle) ** 2;
    mean.push(middle / 255);
    std.push(Math.sqrt(squares / number) / 255);
  }
  return { mean, std };
}

/** Adds the values of a uint8 batch [N, C, H, W] to the counts. */
export function countValues(input: Tensor, counts: ChannelCounts): void {
  torch.scope(() => {
    for (const [channel, count] of counts.entries()) {
      const values = input.select(1, channel).flatten();
      const found = torch.bincount(values, { minlength: 256 }).toTypedArray() as BigInt64Array;
      for (const [value, times] of found.entries()) count[value] = (count[value] as number) + Number(times);
    }
  });
}

/**
 * Measures the pictures of a data set, which must be the training part: what is known of validation and test must not flow into training.
 * @throws DataError when no picture can be read, or a channel has the same value everywhere
 */
export async function measureChannels(
  dataset: PictureDataset,
  options: MeasureChannelsOptions = {},
): Promise<ChannelMeasurement> {
  const { form = {}, workers = 'auto', cache = true, batchSize = 64, onProgress } = options;
  const loader = new DataLoader({ dataset, batchSize, workers, cache, form });
  try {
    const counts = Array.from({ length: form.channels ?? 3 }, () => new Float64Array(256));
    let pictures = 0;
    let done = 0;
    for await (const { input } of loader) {
      countValues(input, counts);
      pictures += input.shape[0] as number;
      done += 1;
      onProgress?.(done, loader.length);
      input.dispose();
      // Signals and timers have their turn, also where all pictures lie in the cache.
      await turn();
    }
    const { skipped } = loader.report();
    if (pictures === 0) throw new DataError(`${dataset.root}: not one of the ${dataset.length} pictures can be read.`);
    const statistics = statisticsOf(counts);
    const flat = statistics.std.indexOf(0);
    if (flat >= 0)
      throw new DataError(
        `${dataset.root}: channel ${flat} has the same value in every pixel of all ${pictures} pictures, so there is nothing to learn from it${form.channels === 1 ? '' : '; are these grey pictures? Use channels 1'}.`,
      );
    return { ...statistics, counts, pictures, skipped };
  } finally {
    await loader.close();
  }
}

/** What is stored with a model: the statistics with what they were measured on. Fits JSON. */
export function channelsJson(
  { mean, std, pictures, counts }: ChannelMeasurement,
  { form, classes }: { readonly form: PictureForm; readonly classes: readonly string[] },
): object {
  return { kind: 'pictures', mean, std, pictures, form, classes, counts: counts.map((channel) => [...channel]) };
}

/** Mean and deviation of ImageNet's training pictures, which most pretrained weights expect. Source: torchvision's recipes. */
export const imagenetStatistics: ChannelStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * What to say when pretrained weights bring statistics of their own: theirs are used, and where the data differ much, that is said.
 * @returns a sentence, or undefined when they agree: no mean differs by more than half a deviation, no deviation by more than 1.5 times
 */
export function compareStatistics(data: ChannelStatistics, pretrained: ChannelStatistics): string | undefined {
  const far = data.mean.flatMap((mean, i) => {
    const theirs = { mean: pretrained.mean[i] ?? 0, std: pretrained.std[i] ?? 1 };
    const shift = (mean - theirs.mean) / theirs.std;
    const ratio = (data.std[i] as number) / theirs.std;
    return Math.abs(shift) > 0.5 || ratio > 1.5 || ratio < 1 / 1.5
      ? [
          `channel ${i}: mean ${mean.toFixed(3)} against ${theirs.mean}, deviation ${(data.std[i] as number).toFixed(3)} against ${theirs.std}`,
        ]
      : [];
  });
  if (far.length === 0) return undefined;
  return `These pictures differ much from what the pretrained weights saw (${far.join('; ')}); the weights' own normalisation is used all the same.`;
}
