/**
 * Writes test/golden/operators.bin.gz: what Python's torch 2.13 on the processor answers to one call of each operator.
 *
 *     node --import tsx scripts/golden/operators.ts     with an engine 2.13 and its Python (npm run setup:parity)
 */
import { statSync } from 'node:fs';
import { torch } from '../../src/torch/index.js';
import { ask } from '../../test/parity/reference.js';
import { storedCalls, storedFile, writeStored } from '../../test/parity/stored.js';

if (!torch.version.startsWith('2.13.'))
  throw new Error(`The stored answers are of 2.13; the engine is ${torch.version}.`);
const calls = storedCalls();
const answers = ask(calls);
writeStored(calls, answers);
process.stdout.write(`${calls.length} calls, ${statSync(storedFile).size} bytes in ${storedFile}\n`);
