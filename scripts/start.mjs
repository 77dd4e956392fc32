#!/usr/bin/env node
/**
 * `npm start`: sets up, draws a set of flowers and runs the whole recipe on it, in about two minutes on two cores.
 *
 *     npm start                         drawn flowers
 *     npm start -- --epochs 5           with settings of `praxis train`
 *     npm start -- ./photos             on your own folder instead
 */

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main as setup } from './setup.mjs';

/** Where the flowers are drawn, seen from where the command is given. */
const folder = 'drawn-flowers';

/** @param {string[]} args @returns {Promise<number>} the exit code */
export async function main(args) {
  const status = await setup([]);
  if (status !== 0) return status;
  // Built by the set-up just now.
  const { main: praxis } = await import(new URL('../dist/cli/main.js', import.meta.url).href);
  const own = args[0] !== undefined && !args[0].startsWith('-');
  if (own) return praxis(['train', ...args]);
  process.stdout.write('\n');
  const drawn = await praxis(['draw', folder, '--pictures', '900', '--size', '96']);
  if (drawn !== 0) return drawn;
  process.stdout.write('\n');
  return praxis(['train', folder, '--size', '64', '--budget', '1.5', ...args]);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = await main(process.argv.slice(2));
