/** Oxford Flowers-102: 8,189 photographs of 102 categories of flowers common in the United Kingdom. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors.js';
import { PictureSamples } from '../sources/samples.js';
import { subset } from '../sources/subset.js';
import type { Part, PictureDataset, Skipped } from '../types.js';
import type { RemoteFile } from './download.js';
import { flowerNames } from './flowers102-names.js';
import { type MatArray, readMat } from './mat5.js';
import { findFolder, type KnownOptions, obtainFile, obtainFolder } from './places.js';

const address = 'https://www.robots.ox.ac.uk/~vgg/data/flowers/102/';

/** The official files. Source of the checksums: torchvision.datasets.Flowers102. */
const remotes = {
  pictures: { name: '102flowers.tgz', md5: '52808999861908f626f3c1f4e79d11fa' },
  labels: { name: 'imagelabels.mat', md5: 'e0620be6f572b9609742df49c70aed4d' },
  split: { name: 'setid.mat', md5: 'a5357ecc9cb78c4bef273ce3793fc85c' },
} as const;

const remote = ({ name, md5 }: { name: string; md5: string }): RemoteFile => ({ urls: [address + name], md5 });

export interface Flowers102Options extends KnownOptions {
  /** Only one of the official parts; all of them by default, and `officialParts` says which is which. */
  part?: Part;
}

/** Names of the split's arrays: training 1,020, validation 1,020, test 6,149 pictures. */
const splitNames = { train: 'trnid', validation: 'valid', test: 'tstid' } as const satisfies Record<Part, string>;

async function readArrays(file: string): Promise<(name: string) => Float64Array> {
  const arrays = readMat(await readFile(file), file);
  return (name) => {
    const array: MatArray | undefined = arrays.get(name);
    if (array === undefined) throw new DataError(`${file} holds no array named ${name}, as that of Flowers-102 does.`);
    return array.values;
  };
}

/** Labels from 0, by picture. */
async function readLabels(file: string): Promise<Int32Array> {
  const values = (await readArrays(file))('labels');
  const wrong = values.findIndex((value) => !Number.isInteger(value) || value < 1 || value > flowerNames.length);
  if (wrong >= 0) {
    throw new DataError(
      `${file}: the label of picture ${wrong + 1} is ${values[wrong]}, not a number from 1 to ${flowerNames.length}.`,
    );
  }
  return Int32Array.from(values, (value) => value - 1);
}

/** Pictures of each part, counted from 0. */
async function readSplit(file: string, pictures: number): Promise<Record<Part, number[]>> {
  const array = await readArrays(file);
  const taken = new Set<number>();
  const read = (part: Part): number[] =>
    Array.from(array(splitNames[part]), (value) => {
      if (!Number.isInteger(value) || value < 1 || value > pictures) {
        throw new DataError(`${file}: ${splitNames[part]} names picture ${value}, there are ${pictures}.`);
      }
      if (taken.has(value)) throw new DataError(`${file} names picture ${value} twice.`);
      taken.add(value);
      return value - 1;
    });
  return { train: read('train'), validation: read('validation'), test: read('test') };
}

const pictureName = (picture: number) => `image_${String(picture + 1).padStart(5, '0')}.jpg`;

/**
 * Oxford Flowers-102 (Nilsback and Zisserman, 2008), with its official split, as `torchvision.datasets.Flowers102` arranges it:
 * `<root>/flowers-102/` (or `root` itself) holds `imagelabels.mat`, `setid.mat`, and `102flowers.tgz` or the unpacked `jpg/`.
 * @param options `download: true` gets what is missing (345 MB, resumed after a cut, MD5-checked); `part` for one part only
 * @throws DataError when something is missing, damaged, or not what its checksum says
 */
export async function flowers102(root: string, options: Flowers102Options = {}): Promise<PictureDataset> {
  const set = 'flowers102';
  const top = path.resolve(root);
  const names = ['jpg', ...Object.values(remotes).map(({ name }) => name)];
  const base = await findFolder([path.join(top, 'flowers-102'), top], names);
  const labelFile = await obtainFile(set, path.join(base, remotes.labels.name), remote(remotes.labels), options);
  const splitFile = await obtainFile(set, path.join(base, remotes.split.name), remote(remotes.split), options);
  const archive = { base, archive: remotes.pictures.name, remote: remote(remotes.pictures), folder: 'jpg' };
  const folder = await obtainFolder(set, archive, options);

  const labels = await readLabels(labelFile);
  const split = await readSplit(splitFile, labels.length);
  const present = new Set(await readdir(folder));
  const skipped: Skipped[] = [];
  const pictures: number[] = [];
  for (let picture = 0; picture < labels.length; picture++) {
    if (present.has(pictureName(picture))) pictures.push(picture);
    else skipped.push({ path: `jpg/${pictureName(picture)}`, reason: 'missing' });
  }
  if (pictures.length === 0) throw new DataError(`${folder} holds none of the pictures image_00001.jpg and so on.`);
  const position = new Map(pictures.map((picture, i) => [picture, i]));
  const within = (part: Part) => split[part].map((picture) => position.get(picture)).filter((at) => at !== undefined);
  const at = (index: number) => pictures[index] as number;
  const whole: PictureDataset = new PictureSamples(
    {
      name: set,
      root: base,
      length: pictures.length,
      classes: flowerNames,
      skipped,
      officialParts: { train: within('train'), validation: within('validation'), test: within('test') },
    },
    {
      name: (index) => `jpg/${pictureName(at(index))}`,
      labels: (index) => [labels[at(index)] as number],
      location: (index) => ({ kind: 'file', path: path.join(folder, pictureName(at(index))) }),
    },
  );
  if (options.part === undefined) return whole;
  return subset(whole, whole.officialParts?.[options.part] ?? [], { name: `${set}-${options.part}` });
}
