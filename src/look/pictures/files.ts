/** Findings about the files of pictures: unreadable ones, wrong names, how pixels are stored. */
import path from 'node:path';
import type { PictureMeasurements } from '../../data/duplicates/measure.js';
import { counted, someOf } from '../../data/split/findings.js';
import type { PictureDataset, Skipped } from '../../data/types.js';
import type { FindingSample, LookFinding } from '../report.js';

const extensions: Readonly<Record<string, readonly string[]>> = {
  jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'],
  png: ['png'],
  webp: ['webp'],
  tiff: ['tif', 'tiff'],
  gif: ['gif'],
  bmp: ['bmp', 'dib'],
  avif: ['avif'],
};

const formatOf = (extension: string): string | undefined =>
  Object.keys(extensions).find((format) => extensions[format]?.includes(extension));

/** Names of samples, as findings show them. */
export const namesOf = (samples: readonly FindingSample[], most = 3): string =>
  someOf(
    samples.map(({ name }) => name),
    most,
  );

export function fileFindings(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  return [
    ...unreadable(dataset, measured),
    ...wrongExtensions(dataset, measured),
    ...rotated(dataset, measured),
    ...modes(dataset, measured),
    ...pages(dataset, measured),
  ];
}

function unreadable(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  if (measured.unreadable.length === 0) return [];
  const samples = measured.unreadable.map(({ index, reason }) => ({
    index,
    name: dataset.sampleName(index),
    note: reason,
    exclude: true,
  }));
  const reasons: Record<string, number> = {};
  for (const { note } of samples) reasons[note] = (reasons[note] ?? 0) + 1;
  return [
    {
      kind: 'unreadable',
      severity: 'error',
      message: `${counted(samples.length, 'picture')} cannot be read: ${someOf(samples.map(({ name, note }) => `${name} (${note})`))}.`,
      evidence: { reasons },
      remedy: 'Fetch these files again, or leave them out; training skips them by name.',
      samples,
    },
  ];
}

function wrongExtensions(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  const samples: FindingSample[] = [];
  for (let index = 0; index < measured.length; index++) {
    const format = measured.format[index] as string;
    const known = extensions[format];
    if (!known) continue;
    const location = dataset.location(index);
    const extension = path.extname(location.path).slice(1).toLowerCase();
    const claimed = formatOf(extension);
    if (claimed === undefined || claimed === format) continue;
    const name = dataset.sampleName(index);
    samples.push({ index, name, note: `${format.toUpperCase()} named .${extension}` });
  }
  if (samples.length === 0) return [];
  return [
    {
      kind: 'wrong-extension',
      severity: 'note',
      message: `${counted(samples.length, 'file is', 'files are')} of another format than the name says: ${someOf(samples.map(({ name, note }) => `${name} (${note})`))}.`,
      evidence: { files: samples.length },
      remedy: 'Rename them; Praxis goes by the content and reads them all the same, other programs may not.',
      samples,
    },
  ];
}

function rotated(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  const samples: FindingSample[] = [];
  for (let index = 0; index < measured.length; index++) {
    const orientation = measured.orientation[index] as number;
    if (measured.width[index] === 0 || orientation <= 1) continue;
    samples.push({ index, name: dataset.sampleName(index), note: `EXIF orientation ${orientation}` });
  }
  if (samples.length === 0) return [];
  return [
    {
      kind: 'rotated',
      severity: 'note',
      message: `${counted(samples.length, 'picture lies', 'pictures lie')} turned in the file, with a note in EXIF how to turn ${samples.length === 1 ? 'it' : 'them'} upright: ${namesOf(samples)}.`,
      evidence: { pictures: samples.length },
      remedy: 'Nothing to do here: Praxis turns them. Programs that ignore EXIF see them lying on their side.',
      samples,
    },
  ];
}

function modes(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  const counts = countOf(measured.mode.filter((mode) => mode !== ''));
  const usual = Object.entries(counts).sort((a, b) => b[1] - a[1])[0];
  if (!usual || Object.keys(counts).length < 2) return [];
  const samples: FindingSample[] = [];
  for (let index = 0; index < measured.length; index++) {
    const mode = measured.mode[index] as string;
    if (mode !== '' && mode !== usual[0]) samples.push({ index, name: dataset.sampleName(index), note: mode });
  }
  const list = Object.entries(counts).map(([mode, count]) => `${mode} ${count.toLocaleString('en-GB')}`);
  return [
    {
      kind: 'colour-modes',
      severity: 'note',
      message: `Colours are stored in ${list.length} ways: ${list.join(', ')}.`,
      evidence: { modes: counts },
      remedy:
        'Nothing to do here: all become RGB, transparency is laid on white. See that no class has a way of its own.',
      samples,
    },
  ];
}

function pages(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  const samples: FindingSample[] = [];
  for (let index = 0; index < measured.length; index++) {
    const count = measured.pages[index] as number;
    if (count > 1) samples.push({ index, name: dataset.sampleName(index), note: `${count} pages` });
  }
  if (samples.length === 0) return [];
  return [
    {
      kind: 'pages',
      severity: 'note',
      message: `${counted(samples.length, 'file has', 'files have')} several pages or frames, of which the first is taken: ${namesOf(samples)}.`,
      evidence: { files: samples.length },
      remedy: 'Save the pages as pictures of their own if the others matter.',
      samples,
    },
  ];
}

/** How often each value occurs. */
export function countOf(values: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** Left by programs, or Praxis's own: not worth a word. */
const silent = /^(hidden|left by the operating system)$/;

/** Files that were found and not taken. */
export function skippedFindings(skipped: readonly Skipped[]): LookFinding[] {
  const told = skipped.filter(({ path: name, reason }) => !silent.test(reason) && !/praxis-exclude\.jsonl$/.test(name));
  const left = told.filter(({ reason }) => reason !== 'left out by name');
  if (left.length === 0) return [];
  const broken = left.some(({ reason }) => /^unreadable|symbolic link|permission/.test(reason));
  return [
    {
      kind: 'skipped',
      severity: broken ? 'warning' : 'note',
      message: `${counted(left.length, 'file or folder was', 'files or folders were')} not taken: ${someOf(left.map(({ path: name, reason }) => `${name} (${reason})`))}.`,
      evidence: { files: left.slice(0, 1000) },
      remedy: 'See that none of them was meant to be a sample.',
      samples: [],
    },
  ];
}
