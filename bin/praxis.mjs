#!/usr/bin/env node
/** The command `praxis`. Set-up must work before anything is installed or built, so it has a way of its own. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const built = new URL('../dist/cli/main.js', import.meta.url);
const packages = [new URL('../node_modules/commander', import.meta.url), new URL('../../commander', import.meta.url)];

if (existsSync(built) && packages.some((folder) => existsSync(folder))) {
  const { main } = await import(built.href);
  process.exitCode = await main(args);
} else if (args[0] === 'setup') {
  const { main } = await import('../scripts/setup.mjs');
  process.exitCode = await main(args.slice(1));
} else {
  const script = fileURLToPath(new URL('../scripts/setup.mjs', import.meta.url));
  process.stderr.write(`praxis is not built yet. Run this once: node ${script}\n`);
  process.exitCode = 1;
}
