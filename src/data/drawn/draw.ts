/** Writes a drawn flower set: an image folder whose truth is known. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors.js';
import { sampleRandom, streams } from '../random.js';
import { type DrawnPicture, type PlannedPicture, planPictures } from './plan.js';
import { renderScene } from './render.js';
import { composeScene } from './scene.js';
import { type DrawOptions, type DrawSettings, findSpecies, resolveSettings } from './settings.js';

/** What Praxis wrote and knows about the set, in its folder. */
export const drawnFile = 'drawn.json';

/** Counts up when the same settings begin to give other pictures. */
const drawnVersion = 1;

interface DrawnRecord {
  readonly drawn: number;
  /** Whether the set was finished; what was begun may be drawn over. */
  readonly complete: boolean;
  readonly settings: DrawSettings;
  /** With a digest of each file's bytes once the set is complete. */
  readonly pictures: readonly (DrawnPicture & { readonly digest?: string })[];
}

/** A drawn flower set on disk. */
export interface DrawnFlowers {
  /** Absolute path: an image folder, `<folder>/<species>/<name>.jpg`. */
  readonly folder: string;
  readonly settings: DrawSettings;
  /** The truth about every picture, as `drawn.json` has it. */
  readonly pictures: readonly DrawnPicture[];
  /** How many were drawn by this call; 0 when all was there already. */
  readonly drawn: number;
}

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** Draws one picture. @returns the bytes of a JPEG file */
export async function drawFlower(
  species: string,
  options: Pick<DrawOptions, 'size' | 'seed' | 'difficulty' | 'noise'> & { number?: number } = {},
): Promise<Buffer> {
  const { number = 0, ...rest } = options;
  const settings = resolveSettings({ ...rest, species: [species] });
  return drawPlanned({ file: '', species, label: species, drawnFrom: number }, number, settings);
}

function drawPlanned(picture: PlannedPicture, index: number, settings: DrawSettings): Promise<Buffer> {
  const draws = sampleRandom(settings.seed, 0, picture.drawnFrom, streams.drawn);
  const scene = composeScene(findSpecies(picture.species), settings, draws);
  if (picture.nearCopyOf === undefined) return renderScene(scene, settings.size, draws);
  const changes = sampleRandom(settings.seed, 2, index, streams.drawn);
  return renderScene(scene, settings.size, changes, {
    crop: changes.uniform(0, 0.03),
    brightness: changes.uniform(0.94, 1.06),
    quality: 60 + changes.integer(30),
  });
}

async function readRecord(folder: string): Promise<DrawnRecord | undefined> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DataError(`Flowers cannot be drawn into ${folder}: ${(error as Error).message}`, { cause: error });
  }
  if (entries.length === 0) return undefined;
  const foreign = () =>
    new DataError(`${folder} is not empty and was not drawn by Praxis; give a new or empty folder.`);
  if (!entries.includes(drawnFile)) throw foreign();
  try {
    const record = JSON.parse(await readFile(path.join(folder, drawnFile), 'utf8')) as DrawnRecord;
    const names = record.pictures.map(({ file }) => file);
    // Files are only ever replaced at names that drawing could have given them.
    if (typeof record.drawn !== 'number' || names.some((name) => !/^[a-z]+\/[a-z]+-\d+\.jpg$/.test(name)))
      throw foreign();
    return record;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw foreign();
  }
}

async function writeRecord(folder: string, record: DrawnRecord): Promise<void> {
  const { pictures, ...head } = record;
  const lines = pictures.map((picture) => `    ${JSON.stringify(picture)}`).join(',\n');
  const text = `${JSON.stringify({ ...head, pictures: [] }, null, 2).replace(/\[\]\n\}$/, `[\n${lines}\n  ]\n}`)}\n`;
  const file = path.join(folder, drawnFile);
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}

/** Which files of a finished set are missing. @throws DataError when one was changed */
async function findMissing(folder: string, record: DrawnRecord): Promise<Set<string>> {
  const missing = new Set<string>();
  for (const { file, digest } of record.pictures) {
    let bytes: Buffer;
    try {
      bytes = await readFile(path.join(folder, file));
    } catch {
      missing.add(file);
      continue;
    }
    if (digestOf(bytes) !== digest) {
      throw new DataError(
        `${path.join(folder, file)} is not what Praxis drew any more; draw into another folder, or overwrite the set.`,
      );
    }
  }
  return missing;
}

/** Draws into files what `wanted` says, a few at a time. @returns digests by file */
async function drawFiles(
  folder: string,
  plan: readonly PlannedPicture[],
  wanted: (picture: PlannedPicture) => boolean,
  settings: DrawSettings,
  onProgress?: (done: number, total: number) => void,
): Promise<Map<string, string>> {
  for (const label of new Set(plan.map((picture) => picture.label)))
    await mkdir(path.join(folder, label), { recursive: true });
  const todo = plan.map((picture, index) => ({ picture, index })).filter(({ picture }) => wanted(picture));
  const digests = new Map<string, string>();
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let at = next++; at < todo.length; at = next++) {
      const { picture, index } = todo[at] as { picture: PlannedPicture; index: number };
      const bytes = await drawPlanned(picture, index, settings);
      await writeFile(path.join(folder, picture.file), bytes);
      digests.set(picture.file, digestOf(bytes));
      onProgress?.(++done, todo.length);
    }
  };
  // As many as Node has threads for libvips by default.
  await Promise.all(Array.from({ length: 4 }, worker));
  return digests;
}

function differences(old: DrawSettings, wanted: DrawSettings): string {
  const keys = Object.keys(wanted) as (keyof DrawSettings)[];
  const changed = keys.filter((key) => JSON.stringify(old[key]) !== JSON.stringify(wanted[key]));
  return changed
    .map((key) => `${key} ${JSON.stringify(old[key])} instead of ${JSON.stringify(wanted[key])}`)
    .join(', ');
}

/**
 * Draws flowers: `<folder>/<species>/<species>-0001.jpg` and so on, and `drawn.json` with the truth about every picture (which are
 * wrongly labelled, copies, near-copies). The same settings give the same bytes. What is there already is not drawn again; a set that
 * was interrupted is finished.
 * @param options `overwrite`: replace a set drawn with other settings; `onProgress`: pictures drawn and to be drawn
 * @throws DataError when the folder holds something else, or a set with other settings
 */
export async function drawFlowers(
  folder: string,
  options: DrawOptions & { overwrite?: boolean; onProgress?: (done: number, total: number) => void } = {},
): Promise<DrawnFlowers> {
  const { overwrite = false, onProgress, ...wanted } = options;
  const settings = resolveSettings(wanted);
  const root = path.resolve(folder);
  const plan = planPictures(settings);
  const truth = plan.map(({ drawnFrom: _, ...picture }) => picture);
  const record = await readRecord(root);
  let missing: Set<string> | undefined;
  if (record !== undefined) {
    const same = record.drawn === drawnVersion && JSON.stringify(record.settings) === JSON.stringify({ ...settings });
    if (!same && !overwrite) {
      const which = differences(record.settings, settings) || 'an older way of drawing';
      throw new DataError(`${root} holds a set drawn otherwise (${which}); draw into another folder, or overwrite it.`);
    }
    if (same && record.complete && !overwrite) {
      missing = await findMissing(root, record);
      if (missing.size === 0) return { folder: root, settings, pictures: truth, drawn: 0 };
    } else if (!same) {
      for (const { file } of record.pictures) await rm(path.join(root, file), { force: true });
    }
  }
  await mkdir(root, { recursive: true });
  const old = new Map(missing === undefined ? [] : record?.pictures.map(({ file, digest }) => [file, digest]));
  // What is begun is written down first, so that an interrupted set is known to be Praxis's own.
  if (missing === undefined)
    await writeRecord(root, { drawn: drawnVersion, complete: false, settings, pictures: truth });
  const digests = await drawFiles(root, plan, ({ file }) => missing?.has(file) ?? true, settings, onProgress);
  const pictures = truth.map((picture) => ({
    ...picture,
    digest: digests.get(picture.file) ?? old.get(picture.file) ?? '',
  }));
  await writeRecord(root, { drawn: drawnVersion, complete: true, settings, pictures });
  return { folder: root, settings, pictures: truth, drawn: digests.size };
}
