/** Data sets whose pictures are records of equal length in a few files, training and test apart. */
import path from 'node:path';
import { PictureSamples } from '../sources/samples.js';
import type { PictureDataset, PictureLocation } from '../types.js';

type RawLocation = Extract<PictureLocation, { kind: 'raw' }>;

/** One file of records. */
export interface RecordFile {
  readonly part: 'train' | 'test';
  readonly file: string;
  readonly labels: Uint8Array;
  /** Where record i's pixels lie. */
  readonly offset: (record: number) => number;
  readonly shape: Pick<RawLocation, 'height' | 'width' | 'channels' | 'layout' | 'gzip'>;
}

/** Puts the files together; validation stays empty, to be carved out of the training part by a split. */
export function recordDataset(
  name: string,
  root: string,
  classes: readonly string[],
  files: readonly RecordFile[],
): PictureDataset {
  const starts: number[] = [];
  let length = 0;
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  for (const { part, labels } of files) {
    starts.push(length);
    for (let i = 0; i < labels.length; i++) parts[part].push(length + i);
    length += labels.length;
  }
  const find = (index: number): [RecordFile, number] => {
    let at = files.length - 1;
    while ((starts[at] as number) > index) at--;
    return [files[at] as RecordFile, index - (starts[at] as number)];
  };
  return new PictureSamples(
    { name, root, length, classes, officialParts: parts },
    {
      name: (index) => {
        const [{ file }, record] = find(index);
        return `${path.relative(root, file).split(path.sep).join('/')}#${record}`;
      },
      labels: (index) => {
        const [{ labels }, record] = find(index);
        return [labels[record] as number];
      },
      location: (index) => {
        const [{ file, shape, offset }, record] = find(index);
        return { kind: 'raw', path: file, offset: offset(record), ...shape };
      },
    },
  );
}
