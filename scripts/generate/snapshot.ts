/**
 * Maintainer's tool, run once per new engine: writes the schemas of the loaded engine's operators into `schemas-<version>.txt.gz`.
 * With `bindings.ts` this is all that a new version of libtorch takes; then `npm run generate`.
 *
 *     LIBTORCH=path/to/torch npm run setup && node --import tsx scripts/generate/snapshot.ts
 */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { native } from '../../src/torch/load.js';

const version = native.info().torch.split('.').slice(0, 2).join('.');
const names = new Set(native.operatorNames().map((name) => name.split('.', 1)[0] ?? name));
const lines = [...names].flatMap((name) => native.schemas(name)).sort();
const target = new URL(`schemas-${version}.txt.gz`, import.meta.url);
writeFileSync(target, gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
console.log(`${lines.length} schemas of libtorch ${version}`);
