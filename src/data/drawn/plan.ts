/** Decides what every picture of a drawn set is before any is drawn. */
import { permutation, sampleRandom, streams } from '../random.js';
import type { DrawSettings } from './settings.js';

/** The truth about one picture of a drawn set. */
export interface DrawnPicture {
  /** Relative to the set's folder, with `/`. */
  readonly file: string;
  /** What is in the picture. */
  readonly species: string;
  /** The folder it lies in; differs from `species` where the label is wrong. */
  readonly label: string;
  /** The file this is an exact copy of. */
  readonly copyOf?: string;
  /** The file this is nearly the same as. */
  readonly nearCopyOf?: string;
}

/** A picture, and the number whose random draws make it. */
export interface PlannedPicture extends DrawnPicture {
  readonly drawnFrom: number;
}

/** Draws that concern the whole set, apart from those of its pictures. */
const setEpoch = 1;

/** The same settings give the same plan. */
export function planPictures(settings: DrawSettings): PlannedPicture[] {
  const { pictures, species, seed } = settings;
  const order = permutation(pictures, seed, setEpoch, streams.drawn);
  const counts = [settings.wrongLabels, settings.duplicates, settings.nearDuplicates].map((share) =>
    Math.round(share * pictures),
  ) as [number, number, number];
  const role = new Uint8Array(pictures);
  let at = 0;
  for (const [kind, count] of counts.entries()) for (let i = 0; i < count; i++) role[order[at++] as number] = kind + 1;
  const truth = (i: number) => species[i % species.length] as string;
  // Originals that copies can be made of, by species.
  const originals = new Map<string, number[]>(species.map((name) => [name, []]));
  for (let i = 0; i < pictures; i++) if (role[i] === 0) originals.get(truth(i))?.push(i);

  const digits = String(Math.ceil(pictures / species.length)).length;
  const inFolder = new Map<string, number>();
  const labels: string[] = [];
  const files: string[] = [];
  for (let i = 0; i < pictures; i++) {
    let label = truth(i);
    if (role[i] === 1) {
      const others = species.filter((name) => name !== label);
      label = others[sampleRandom(seed, setEpoch, i, streams.drawn).integer(others.length)] as string;
    }
    const number = (inFolder.get(label) ?? 0) + 1;
    inFolder.set(label, number);
    labels.push(label);
    files.push(`${label}/${label}-${String(number).padStart(Math.max(4, digits), '0')}.jpg`);
  }
  return files.map((file, i) => {
    const base = { file, species: truth(i), label: labels[i] as string };
    const candidates = originals.get(truth(i)) as number[];
    // A species may be so rare in the set that nothing is left to copy: then the picture is one of its own.
    if ((role[i] as number) < 2 || candidates.length === 0) return { ...base, drawnFrom: i };
    const original = candidates[sampleRandom(seed, setEpoch, i, streams.drawn).integer(candidates.length)] as number;
    const name = files[original] as string;
    return { ...base, drawnFrom: original, ...(role[i] === 2 ? { copyOf: name } : { nearCopyOf: name }) };
  });
}
