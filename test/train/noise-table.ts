/** A table whose truth is known: which columns tell the class, and which labels are wrong. */
import fs from 'node:fs';
import path from 'node:path';
import { sampleRandom } from '../../src/data/random.js';

export interface NoiseTable {
  readonly rows: number;
  /** Share of the rows whose label is drawn anew. */
  readonly wrong?: number;
  /** Columns that say nothing. */
  readonly useless?: number;
  readonly classes?: number;
  readonly seed?: number;
}

/** Writes `PLACE/noise-….csv`: two columns around a point of each class's own, the rest noise. */
export function noiseTable(place: string, options: NoiseTable): string {
  const { rows, wrong = 0, useless = 12, classes = 3, seed = 1 } = options;
  const draws = sampleRandom(seed, 0, 0, 46);
  const lines = Array.from({ length: rows }, (_, i) => {
    const label = i % classes;
    const angle = (2 * Math.PI * label) / classes;
    const cells = [Math.cos(angle), Math.sin(angle)].map((centre) => centre + 0.6 * draws.normal());
    for (let j = 0; j < useless; j++) cells.push(draws.normal());
    const told = draws.chance(wrong) ? draws.integer(classes) : label;
    return `${cells.map((x) => x.toFixed(4)).join(',')},c${told}`;
  });
  const names = Array.from({ length: 2 + useless }, (_, j) => `x${j}`);
  const file = path.join(place, `noise-${rows}-${Math.round(100 * wrong)}-${seed}.csv`);
  fs.writeFileSync(file, `${[...names, 'label'].join(',')}\n${lines.join('\n')}\n`);
  return file;
}
