/** Building `src/` into `dist/` when the sources changed since the last build. */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lastLines, run } from './process.mjs';
import { SetupError } from './report.mjs';
import { hashOf } from './state.mjs';

const stampName = '.sources';

/** Hash over every source's name and text: dates lie after a checkout or a copy. @param {string} root */
export function sourcesHash(root) {
  const source = path.join(root, 'src');
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  return hashOf(
    readFileSync(path.join(root, 'tsconfig.json')),
    ...files.flatMap((file) => [path.relative(source, file), readFileSync(file)]),
  );
}

/**
 * @param {string} root
 * @param {{ rebuild?: boolean, note?: (text: string) => void }} [options]
 * @returns {Promise<import('./report.mjs').StepResult>}
 */
export async function buildTypeScript(root, { rebuild = false, note = () => {} } = {}) {
  // A published package has dist/ and no sources.
  if (!existsSync(path.join(root, 'src')) || !existsSync(path.join(root, 'tsconfig.json')))
    return { changed: false, detail: '' };
  const target = path.join(root, 'dist');
  const stamp = path.join(target, stampName);
  const hash = sourcesHash(root);
  if (!rebuild && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return { changed: false, detail: '' };
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) {
    throw new SetupError('The TypeScript compiler is not installed.', [
      'Run npm ci (with the development packages) and set up again.',
    ]);
  }
  note('compiling TypeScript');
  // Built beside and swapped in, so that a failed build leaves the old one and files of removed sources do not linger.
  const fresh = path.join(root, `dist.${process.pid}.tmp`);
  const old = path.join(root, `dist.${process.pid}.old`);
  try {
    const finished = await run(process.execPath, [compiler, '-p', 'tsconfig.json', '--outDir', fresh], {
      cwd: root,
      seconds: 300,
    });
    if (!finished.ok) throw new SetupError('TypeScript did not compile.', lastLines(finished, 20));
    writeFileSync(path.join(fresh, stampName), hash);
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
  return { changed: true, detail: 'dist/' };
}
