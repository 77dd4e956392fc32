/** What a cache is called: everything that decides its pictures goes into the name, so that nothing in it is ever out of date as a whole. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jpegLibrary } from '../pictures/jpeg-library.js';
import { locationOf } from '../sources/sealing.js';
import type { PictureDataset, PictureForm } from '../types.js';

/** Raised when the files of a cache change their format. */
const formatVersion = 1;

/** The program that decodes: Praxis's own source, libjpeg's name and the version of sharp. A cache outlives none of them. */
function decoderIdentity(): string {
  const hash = createHash('sha256');
  const folder = fileURLToPath(new URL('../pictures/', import.meta.url));
  const names = readdirSync(folder).filter((name) => /\.[jt]s$/.test(name) && !name.endsWith('.d.ts'));
  for (const name of names.sort()) hash.update(readFileSync(path.join(folder, name)));
  hash.update(jpegLibrary()?.library ?? 'libvips');
  // …/sharp/lib/index.js: its package.json is not exported.
  const entry = createRequire(import.meta.url).resolve('sharp');
  return hash.update(readFileSync(path.join(path.dirname(entry), '..', 'package.json'))).digest('hex');
}

let identity: string | undefined;

/** 20 hexadecimal digits: the places of all pictures, their form and the decoder. Contents of files are watched picture by picture. */
export function cacheKey(dataset: PictureDataset, form: PictureForm, decoder: string | null): string {
  identity ??= decoderIdentity();
  const hash = createHash('sha256').update(JSON.stringify([formatVersion, identity, decoder, form, dataset.length]));
  for (let i = 0; i < dataset.length; i++) {
    const location = locationOf(dataset, i);
    hash.update(`\n${location.path}`);
    if (location.kind === 'raw') {
      const { offset, height, width, channels, layout, gzip } = location;
      hash.update(`\n\t${offset} ${height} ${width} ${channels} ${layout} ${gzip ?? false}`);
    }
  }
  return hash.digest('hex').slice(0, 20);
}
