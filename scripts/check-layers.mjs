#!/usr/bin/env node
/**
 * Holds the direction of imports: each folder of `src/` imports from itself and from folders below it, never from above.
 * `src/index.ts` may import all of them, and nothing imports it.
 */

import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folders of `src/`, top first. */
export const layers = [
  'cli',
  'report',
  'doctor',
  'train',
  'models',
  'look',
  'data',
  'optim',
  'onnx',
  'track',
  'nn',
  'torch',
];

const importPattern =
  /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** What a module imports: static, re-exported, for effect, and dynamic. @param {string} text @returns {string[]} */
export function importsOf(text) {
  // Examples in docstrings are not imports.
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/**
 * @param {string} root folder of package.json
 * @returns {string[]} one sentence for each violation
 */
export function layerViolations(root) {
  const source = path.join(root, 'src');
  /** @type {string[]} */
  const violations = [];
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mts|tsx)$/.test(entry.name))
    .map((entry) => path.relative(source, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
  for (const file of files) {
    if (file === 'index.ts') continue;
    const [layer = ''] = file.split(path.sep);
    const level = layers.indexOf(layer);
    if (level < 0) {
      violations.push(`src/${file} is in no layer; the folders of src/ are ${layers.join(', ')}.`);
      continue;
    }
    for (const specifier of importsOf(readFileSync(path.join(source, file), 'utf8'))) {
      if (specifier === 'praxis' || specifier.startsWith('praxis/')) {
        violations.push(`src/${file} imports '${specifier}', the whole package; import the file it needs.`);
      }
      if (!specifier.startsWith('.')) continue;
      const target = path.relative(source, path.resolve(source, path.dirname(file), specifier));
      const [targetLayer = ''] = target.split(path.sep);
      if (targetLayer === '..') continue; // package.json and the like
      const targetLevel = layers.indexOf(targetLayer);
      if (targetLevel < 0) violations.push(`src/${file} imports '${specifier}', which is in no layer.`);
      else if (targetLevel < level) {
        violations.push(`src/${file} (${layer}) imports '${specifier}' (${targetLayer}), which is above it.`);
      }
    }
  }
  return violations;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const violations = layerViolations(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'));
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
