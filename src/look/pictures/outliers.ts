/**
 * Pictures unlike the others of their class, by colours or by texture: far from their nearest neighbours there. The distance to the k-th
 * neighbour as a score: Ramaswamy, Rastogi, Shim, "Efficient algorithms for mining outliers from large data sets" (SIGMOD 2000).
 */
import type { PictureMeasurements } from '../../data/duplicates/measure.js';
import { featureGroups } from '../../data/pictures/features.js';
import { permutation } from '../../data/random.js';
import { counted } from '../../data/split/findings.js';
import type { PictureDataset } from '../../data/types.js';
import { torch } from '../../torch/index.js';
import { turn } from '../../torch/turn.js';
import { type FindingSample, type LookFinding, spreadOf } from '../report.js';
import { namesOf } from './files.js';
import { featureRows } from './space.js';

/** Which neighbour: copies and the next shot of the same thing should not make an outlier look usual. */
const neighbour = 4;
/** Classes with fewer samples say nothing about what is usual in them. */
const leastSamples = 12;
/** Pictures of a class that others are compared with, at most. */
const mostReferences = 3000;
/** Deviations (robust, of the logarithm of the distance) from the median of the class. */
export const outlierLimit = 4.5;
const blockRows = 1024;

const spaces = [
  { name: 'colours', from: featureGroups.layout[0], to: featureGroups.colours[1] },
  { name: 'texture', from: featureGroups.texture[0], to: featureGroups.texture[1] },
] as const;

interface Found {
  readonly index: number;
  readonly score: number;
  readonly by: 'colours' | 'texture';
}

export async function outlierFindings(
  dataset: PictureDataset,
  measured: PictureMeasurements,
  { seed = 0, signal }: { seed?: number; signal?: AbortSignal | undefined } = {},
): Promise<LookFinding[]> {
  const members: number[][] = dataset.classes.map(() => []);
  for (let index = 0; index < measured.length; index++) {
    // What shows nothing has no colours and no texture to be odd: it has a finding of its own.
    if (measured.width[index] === 0 || (measured.entropy[index] as number) < 1) continue;
    for (const label of dataset.labels(index)) (members[label] as number[]).push(index);
  }
  const found = new Map<number, Found>();
  for (const list of members) {
    if (list.length < leastSamples) continue;
    for (const { name, from, to } of spaces) {
      await turn();
      signal?.throwIfAborted();
      const distances = neighbourDistances(measured.features, list, from, to, seed);
      const scores = robustScores(distances);
      list.forEach((index, at) => {
        const score = scores[at] as number;
        if (score > outlierLimit && score > (found.get(index)?.score ?? 0))
          found.set(index, { index, score, by: name });
      });
    }
  }
  if (found.size === 0) return [];
  const worst = [...found.values()].sort((a, b) => b.score - a.score || a.index - b.index);
  const samples: FindingSample[] = worst.map(({ index, score, by }) => ({
    index,
    name: dataset.sampleName(index),
    note: `${by}, ${score.toFixed(1)} deviations`,
  }));
  return [
    {
      kind: 'outlier',
      severity: 'warning',
      message: `${counted(samples.length, 'picture is', 'pictures are')} unlike the others of their class in colours or texture: ${namesOf(samples)}.`,
      evidence: {
        pictures: samples.length,
        limit: outlierLimit,
        scores: worst.slice(0, 1000).map(({ index, score, by }) => ({ name: dataset.sampleName(index), score, by })),
      },
      remedy:
        'Look at them: what does not belong to the class is left out or moved, what is only rare is worth keeping.',
      samples,
    },
  ];
}

/** Distance of each picture to its k-th nearest neighbour among (some of) the others. */
function neighbourDistances(
  features: Uint8Array,
  list: readonly number[],
  from: number,
  to: number,
  seed: number,
): Float64Array {
  const distances = new Float64Array(list.length);
  torch.noGrad(() => {
    torch.scope(() => {
      const rows = featureRows(features, list, from, to);
      const chosen =
        list.length <= mostReferences ? undefined : permutation(list.length, seed, 0).slice(0, mostReferences).sort();
      const references = chosen ? rows.indexSelect(0, torch.tensor([...chosen].map(BigInt))) : rows;
      const k = Math.min(neighbour + 1, references.shape[0] as number);
      for (let start = 0; start < list.length; start += blockRows) {
        const count = Math.min(blockRows, list.length - start);
        torch.scope(() => {
          const block = rows.narrow(0, start, count);
          const { values } = torch.cdist(block, references).topk(k, 1, false, true);
          distances.set(values.select(1, k - 1).toTypedArray() as Float32Array, start);
        });
      }
    });
  });
  return distances;
}

/** How many robust deviations the logarithm of each distance lies above the median. */
function robustScores(distances: Float64Array): Float64Array {
  const logs = distances.map((distance) => Math.log(Math.max(distance, 1e-3)));
  const { median } = spreadOf(logs);
  // The upper half only: near copies make the lower one long.
  const above = logs.filter((value) => value >= median).map((value) => value - median);
  const deviation = Math.max(0.08, 1.4826 * spreadOf(above).median);
  return logs.map((value) => (value - median) / deviation);
}
