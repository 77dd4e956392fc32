/** CIFAR-10 and CIFAR-100 in their binary form. Source: Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html */
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors.js';
import type { PictureDataset } from '../types.js';
import { findFolder, type KnownOptions, obtainFolder } from './places.js';
import { type RecordFile, recordDataset } from './records.js';

interface Form {
  readonly set: string;
  readonly archive: string;
  readonly md5: string;
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: string;
  /** Bytes before the pixels, and which of them is the label. */
  readonly labelBytes: 1 | 2;
  readonly labelAt: 0 | 1;
  readonly classes: number;
  readonly namesFile: string;
  /** Where the archive lacks the file of names. */
  readonly names: readonly string[];
}

const pixels = 3 * 32 * 32;

/** Labels of all records of a file. */
async function readLabels(file: string, form: Form): Promise<Uint8Array> {
  const record = form.labelBytes + pixels;
  const handle = await open(file, 'r').catch((error: Error) => {
    throw new DataError(`${form.set}: ${file} cannot be read: ${error.message}.`, { cause: error });
  });
  try {
    const { size } = await handle.stat();
    if (size === 0 || size % record !== 0) {
      throw new DataError(
        `${file} has ${size} bytes, which is not a whole number of ${form.set} records of ${record} bytes: it is cut off or another format.`,
      );
    }
    const labels = new Uint8Array(size / record);
    const block = Buffer.alloc(1000 * record);
    for (let first = 0; first < labels.length; first += 1000) {
      const count = Math.min(1000, labels.length - first);
      await handle.read(block, 0, count * record, first * record);
      for (let i = 0; i < count; i++) {
        const label = block[i * record + form.labelAt] as number;
        if (label >= form.classes) {
          throw new DataError(
            `${file}: record ${first + i} has label ${label}, ${form.set} has ${form.classes} classes: it is damaged or another format.`,
          );
        }
        labels[first + i] = label;
      }
    }
    return labels;
  } finally {
    await handle.close();
  }
}

async function readNames(file: string, form: Form): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return form.names;
  }
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length === form.classes) return names;
  throw new DataError(`${file} has ${names.length} class names instead of ${form.classes}.`);
}

async function cifar(root: string, form: Form, options: KnownOptions): Promise<PictureDataset> {
  const top = path.resolve(root);
  // The folder itself may be given, too.
  const here = await findFolder([path.join(top, form.folder), top], [form.test]);
  const remote = { urls: [`https://www.cs.toronto.edu/~kriz/${form.archive}`], md5: form.md5 };
  const folder =
    here === top
      ? top
      : await obtainFolder(form.set, { base: top, archive: form.archive, remote, folder: form.folder }, options);
  const files: RecordFile[] = [];
  const record = form.labelBytes + pixels;
  for (const name of [...form.train, form.test]) {
    const file = path.join(folder, name);
    files.push({
      part: name === form.test ? 'test' : 'train',
      file,
      labels: await readLabels(file, form),
      offset: (i) => i * record + form.labelBytes,
      shape: { height: 32, width: 32, channels: 3, layout: 'planes' },
    });
  }
  return recordDataset(form.set, folder, await readNames(path.join(folder, form.namesFile), form), files);
}

/**
 * CIFAR-10: 60,000 colour pictures of 32 × 32 in 10 classes; 50,000 for training, 10,000 for the test.
 * `<root>/cifar-10-batches-bin/` (or `root` itself) holds `data_batch_1.bin` … and `test_batch.bin`, or `root` holds the archive.
 * @throws DataError when something is missing or damaged
 */
export function cifar10(root: string, options: KnownOptions = {}): Promise<PictureDataset> {
  const form: Form = {
    set: 'cifar10',
    archive: 'cifar-10-binary.tar.gz',
    md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    folder: 'cifar-10-batches-bin',
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: 'test_batch.bin',
    labelBytes: 1,
    labelAt: 0,
    classes: 10,
    namesFile: 'batches.meta.txt',
    names: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  };
  return cifar(root, form, options);
}

/**
 * CIFAR-100: as CIFAR-10, with 100 classes in 20 groups.
 * @param options `labels: 'coarse'` for the 20 groups
 * @throws DataError when something is missing or damaged
 */
export function cifar100(
  root: string,
  options: KnownOptions & { labels?: 'fine' | 'coarse' } = {},
): Promise<PictureDataset> {
  const coarse = options.labels === 'coarse';
  const classes = coarse ? 20 : 100;
  const form: Form = {
    set: 'cifar100',
    archive: 'cifar-100-binary.tar.gz',
    md5: '03b5dce01913d631647c71ecec9e9cb8',
    folder: 'cifar-100-binary',
    train: ['train.bin'],
    test: 'test.bin',
    labelBytes: 2,
    labelAt: coarse ? 0 : 1,
    classes,
    namesFile: coarse ? 'coarse_label_names.txt' : 'fine_label_names.txt',
    names: Array.from({ length: classes }, (_, i) => `class ${i}`),
  };
  return cifar(root, form, options);
}
