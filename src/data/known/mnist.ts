/** MNIST and Fashion-MNIST in the IDX format. Source: LeCun, Cortes and Burges; Xiao, Rasul and Vollgraf (2017). */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { DataError } from '../errors.js';
import type { PictureDataset } from '../types.js';
import { type DownloadOptions, download } from './download.js';
import { exists, type KnownOptions } from './places.js';
import { type RecordFile, recordDataset } from './records.js';

interface Form {
  readonly set: string;
  readonly folder: string;
  readonly mirrors: readonly string[];
  /** MD5 of the four compressed files, in the order of `fileNames`. */
  readonly md5: readonly string[];
  readonly classes: readonly string[];
}

const fileNames = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

/** No file of this kind is larger when it is unpacked: MNIST's has 47 MB. */
const largest = 2 ** 30;

interface IdxFile {
  readonly file: string;
  readonly gzip: boolean;
  readonly shape: readonly number[];
  /** Where the numbers begin, in the unpacked bytes. */
  readonly start: number;
  /** The numbers themselves, when they were asked for. */
  readonly values: Uint8Array | undefined;
}

/**
 * Reads an IDX file of bytes: two zero bytes, type 8, the number of dimensions, each as a big-endian 32-bit number, then the values.
 * The whole file is read, so that what is cut off is found here and not in the middle of training.
 */
async function readIdx(file: string, dimensions: number, keep: boolean): Promise<IdxFile> {
  const gzip = file.endsWith('.gz');
  const chunks: Buffer[] = [];
  let length = 0;
  const start = 4 + 4 * dimensions;
  let head = Buffer.alloc(0);
  const source = createReadStream(file, { highWaterMark: 1 << 18 });
  const unpacked = gzip ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => unpacked.destroy(error));
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      if (head.length < start) head = Buffer.concat([head, chunk.subarray(0, start)]);
      length += chunk.length;
      if (length > largest) throw new DataError(`${file} unpacks to more than 1 GB and is no file of this data set.`);
      if (keep) chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  } finally {
    source.destroy();
  }
  if (length < 4) throw new DataError(`${file} has ${length} bytes and is no IDX file.`);
  const magic = head.readUInt32BE(0);
  if (magic !== 0x0800 + dimensions) {
    throw new DataError(
      `${file} begins with ${head.subarray(0, 4).toString('hex')} instead of ${(0x0800 + dimensions).toString(16).padStart(8, '0')}: it is no IDX file of ${dimensions === 1 ? 'labels' : 'pictures'}.`,
    );
  }
  if (length < start) throw new DataError(`${file} has ${length} bytes, its header alone would have ${start}.`);
  const shape = Array.from({ length: dimensions }, (_, i) => head.readUInt32BE(4 + 4 * i));
  const expected = start + shape.reduce((product, size) => product * size, 1);
  if (length !== expected) {
    throw new DataError(
      `${file} has ${length} bytes${gzip ? ' when it is unpacked' : ''}; its header says ${shape.join(' × ')}, which makes ${expected}.`,
    );
  }
  return { file, gzip, shape, start, values: keep ? Buffer.concat(chunks).subarray(start) : undefined };
}

/** The file of that name, bare or compressed, with a hyphen or a dot: both are around. */
async function locate(folder: string, name: string): Promise<string | undefined> {
  for (const form of [name, name.replace('-idx', '.idx')]) {
    for (const ending of ['', '.gz']) {
      const file = path.join(folder, form + ending);
      if (await exists(file)) return file;
    }
  }
  return undefined;
}

async function readPart(
  set: string,
  part: 'train' | 'test',
  pictureFile: string,
  labelFile: string,
  classes: number,
): Promise<RecordFile> {
  const pictures = await readIdx(pictureFile, 3, false);
  const labels = await readIdx(labelFile, 1, true);
  const [count = 0, height = 0, width = 0] = pictures.shape;
  const values = labels.values as Uint8Array;
  if (values.length !== count) {
    throw new DataError(`${set}: ${pictureFile} has ${count} pictures and ${labelFile} has ${values.length} labels.`);
  }
  if (height * width === 0) throw new DataError(`${pictureFile} says that its pictures are ${height} × ${width}.`);
  const wrong = values.findIndex((label) => label >= classes);
  if (wrong >= 0)
    throw new DataError(`${labelFile}: label ${wrong} is ${values[wrong]}, ${set} has ${classes} classes.`);
  return {
    part,
    file: pictures.file,
    labels: values,
    offset: (i) => pictures.start + i * height * width,
    shape: { height, width, channels: 1, layout: 'planes', ...(pictures.gzip ? { gzip: true } : {}) },
  };
}

async function idxDataset(root: string, form: Form, options: KnownOptions): Promise<PictureDataset> {
  const top = path.resolve(root);
  const candidates = [path.join(top, form.folder, 'raw'), path.join(top, form.folder), top];
  let folder = candidates[0] as string;
  for (const candidate of [...candidates].reverse()) if (await locate(candidate, fileNames[0])) folder = candidate;
  const found: string[] = [];
  for (const [i, name] of fileNames.entries()) {
    let file = await locate(folder, name);
    if (file === undefined && options.download) {
      file = path.join(folder, `${name}.gz`);
      const remote = { urls: form.mirrors.map((mirror) => `${mirror}${name}.gz`), md5: form.md5[i] as string };
      await download(remote, file, options as DownloadOptions);
    }
    if (file === undefined) {
      throw new DataError(
        `${form.set} needs ${path.join(folder, name)} or the same with .gz, which is not there: download it with { download: true } or \`praxis download ${form.set}\`.`,
      );
    }
    found.push(file);
  }
  const [trainPictures, trainLabels, testPictures, testLabels] = found as [string, string, string, string];
  const classes = form.classes.length;
  return recordDataset(form.set, folder, form.classes, [
    await readPart(form.set, 'train', trainPictures, trainLabels, classes),
    await readPart(form.set, 'test', testPictures, testLabels, classes),
  ]);
}

/**
 * MNIST: 70,000 handwritten digits of 28 × 28, grey; 60,000 for training, 10,000 for the test. The four IDX files, compressed or not, lie in
 * `<root>/MNIST/raw/` as torchvision puts them, or in `root` itself.
 * @throws DataError when something is missing or damaged
 */
export function mnist(root: string, options: KnownOptions = {}): Promise<PictureDataset> {
  const form: Form = {
    set: 'mnist',
    folder: 'MNIST',
    mirrors: ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'http://yann.lecun.com/exdb/mnist/'],
    md5: [
      'f68b3c2dcbeaaa9fbdd348bbdeb94873',
      'd53e105ee54ea40749a09fcbcd1e9432',
      '9fb629c4189551a2d022fa330f9573f3',
      'ec29112dd5afa0611ce80d1b7f02629c',
    ],
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  };
  return idxDataset(root, form, options);
}

/**
 * Fashion-MNIST: pictures of clothing in the form of MNIST, in `<root>/FashionMNIST/raw/` or in `root` itself.
 * @throws DataError when something is missing or damaged
 */
export function fashionMnist(root: string, options: KnownOptions = {}): Promise<PictureDataset> {
  const form: Form = {
    set: 'fashion-mnist',
    folder: 'FashionMNIST',
    mirrors: ['http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/'],
    md5: [
      '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
      '25c81989df183df01b3e8a0aad5dffbe',
      'bef4ecab320f06d8554ea6380940ec79',
      'bb300cfdad3c16e7a12a480ee83cd310',
    ],
    classes: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  };
  return idxDataset(root, form, options);
}
