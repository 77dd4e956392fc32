#!/usr/bin/env node
/** Holds the sizes: no source file over 400 lines, the C++ of the bridge within 1,200 lines of code (blank and comment lines apart). */

import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const maximumFileLines = 400;
export const maximumNativeLines = 1200;

const folders = ['src', 'native', 'scripts', 'test', 'examples', 'bench', 'bin'];
const sourcePattern = /\.(ts|mts|tsx|mjs|cjs|js|cc|cpp|cu|h|hpp|py|sh)$/;
const nativePattern = /\.(cc|cpp|cu|h|hpp)$/;
/** Not parts of the bridge: what is built only where the CUDA headers are complete, and the decoder of JPEG files, an addon of its own. */
const optionalNative = /^(cuda_extra|jpeg)\./;

/** @param {string} text */
export function countLines(text) {
  if (text === '') return 0;
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Lines that hold code: neither blank nor only a comment. @param {string} text */
export function countCode(text) {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
}

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/**
 * @param {string} root folder of package.json
 * @returns {string[]} one sentence for each violation
 */
export function sizeViolations(root) {
  /** @type {string[]} */
  const violations = [];
  let native = 0;
  for (const folder of folders) {
    for (const file of filesBelow(path.join(root, folder))) {
      const name = path.basename(file);
      if (!sourcePattern.test(name) || /\.generated\./.test(name)) continue;
      const text = readFileSync(file, 'utf8');
      const lines = countLines(text);
      if (folder === 'native' && nativePattern.test(name) && !optionalNative.test(name)) native += countCode(text);
      if (lines > maximumFileLines) {
        violations.push(`${path.relative(root, file)} has ${lines} lines; the most is ${maximumFileLines}: split it.`);
      }
    }
  }
  if (native > maximumNativeLines) {
    violations.push(
      `native/ has ${native} lines of C++ code; the most is ${maximumNativeLines}: move what can be TypeScript.`,
    );
  }
  return violations;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const violations = sizeViolations(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'));
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
