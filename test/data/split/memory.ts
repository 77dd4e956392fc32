/** Data sets made in memory: texts, of which equal ones are copies. */
import { type Draws, sampleRandom } from '../../../src/data/random.js';
import { TextSamples } from '../../../src/data/sources/in-memory.js';
import type { Part, TextDataset } from '../../../src/data/types.js';

export interface MadeSample {
  readonly labels: readonly number[];
  readonly text: string;
  readonly group?: string | undefined;
}

export function textDataset(
  samples: readonly MadeSample[],
  classes: number,
  more: { multiLabel?: boolean; officialParts?: Record<Part, number[]>; name?: (index: number) => string } = {},
): TextDataset {
  const name = more.name ?? ((index: number) => `made.csv#${index}`);
  return new TextSamples(
    {
      name: 'made',
      root: '/made',
      length: samples.length,
      classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
      multiLabel: more.multiLabel ?? false,
      officialParts: more.officialParts,
    },
    {
      name,
      labels: (index) => samples[index]?.labels ?? [],
      group: (index) => samples[index]?.group,
    },
    (index) => samples[index]?.text ?? '',
  );
}

/** Samples with planted copies and groups, of random kinds of unevenness. */
export function randomSamples(seed: number, multiLabel = false): { samples: MadeSample[]; classes: number } {
  const draws: Draws = sampleRandom(seed, 7, 1);
  const classes = 2 + draws.integer(9);
  const samples: MadeSample[] = [];
  const count = 30 + draws.integer(170);
  const power = draws.uniform(0.3, 2);
  const copies = draws.uniform(0, 0.4);
  const grouped = draws.uniform(0, 0.3);
  const rare = (): number => Math.floor(classes * draws.uniform() ** power);
  for (let i = 0; i < count; i++) {
    const copied = i > 0 && draws.chance(copies) ? samples[draws.integer(i)] : undefined;
    const own = multiLabel
      ? [...new Set(Array.from({ length: draws.integer(4) }, rare))].sort((a, b) => a - b)
      : [i < classes ? i : rare()];
    samples.push({
      // Copies may have another label, as in real data.
      labels: copied && draws.chance(0.9) ? copied.labels : own,
      text: copied ? `  ${copied.text.toUpperCase()} ` : `text ${i}`,
      group: draws.chance(grouped) ? `plant ${draws.integer(Math.max(2, count / 8))}` : undefined,
    });
  }
  return { samples, classes };
}
