/**
 * Generates the typed surface of `src/torch/generated` from the committed operator schemas. Needs neither an engine nor Python.
 *
 *     npm run generate              writes the files
 *     npm run generate -- --check   writes nothing; fails and names the files that are not up to date
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSnapshots } from './generate/snapshots.js';
import { selectSurface } from './generate/surface.js';
import { writeNames } from './generate/write-names.js';
import { writeOps } from './generate/write-ops.js';
import { writeFunctions, writeMethods } from './generate/write-surface.js';
import { writeVersions } from './generate/write-versions.js';

const FOLDER = new URL('../src/torch/generated/', import.meta.url);

/** File name → contents of everything that is generated. */
export function generateAll(): Map<string, string> {
  const snapshots = readSnapshots();
  const surface = selectSurface(snapshots);
  return new Map([
    ['names.generated.ts', writeNames(surface)],
    ['tensor-methods.generated.ts', writeMethods(surface, snapshots)],
    ['functions.generated.ts', writeFunctions(surface, snapshots)],
    ['aten-ops.generated.ts', writeOps(snapshots)],
    ['versions.generated.ts', writeVersions(snapshots)],
  ]);
}

/** Names of the generated files whose contents on disk are not what the generator makes. */
export function staleFiles(): string[] {
  return [...generateAll()]
    .filter(([name, text]) => {
      const path = new URL(name, FOLDER);
      return !existsSync(path) || readFileSync(path, 'utf8') !== text;
    })
    .map(([name]) => name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles();
    for (const name of stale) console.error(`src/torch/generated/${name} is not up to date: run npm run generate`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, text] of generateAll()) {
      writeFileSync(new URL(name, FOLDER), text);
      console.log(`src/torch/generated/${name}  ${Math.ceil(text.length / 1024)} KB`);
    }
  }
}
