/** Pictures without labels: whatever lies in a folder, at any depth. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';
import { readingFailed } from '../pictures/raw.js';
import type { PictureDataset } from '../types.js';
import { notAPicture } from './image-folder.js';
import { PictureSamples } from './samples.js';
import { absolute, walk } from './walk.js';

/**
 * All pictures below a folder, in any structure, as a data set of the one class `unlabelled`. Pictures are not opened.
 * @throws DataError when the folder cannot be read or holds no picture
 */
export function unlabelledPictures(root: string, options: { readonly name?: string } = {}): PictureDataset {
  const base = absolute(root);
  try {
    if (!statSync(base).isDirectory()) throw new DataError(`${root} is no folder of pictures`);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${root}: ${readingFailed(cause).replace('no such file', 'no such folder')}`, { cause });
  }
  const { files, skipped } = walk(base);
  const names = files.filter((name) => notAPicture(name) === null);
  const others = files.flatMap((name) => {
    const reason = notAPicture(name);
    return reason === null ? [] : [{ path: name, reason }];
  });
  if (names.length === 0) throw new DataError(`${root} holds no pictures, in it or in folders below it`);
  return new PictureSamples(
    {
      name: options.name ?? path.basename(base),
      root: base,
      length: names.length,
      classes: ['unlabelled'],
      skipped: [...skipped, ...others],
    },
    {
      name: (index) => names[index] as string,
      labels: () => [0],
      location: (index) => ({ kind: 'file', path: `${base}/${names[index]}` }),
    },
  );
}
