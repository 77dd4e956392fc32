/** Leaves a loop early, with threads at work, and has nothing more to do. */
import { DataLoader } from '../../../src/data/loader/index.js';
import { decoder, makeFiles, smallForm } from './pictures.js';

const dataset = makeFiles(Array.from({ length: 64 }, (_, i) => `slow${i}`));
const loader = new DataLoader({ dataset, batchSize: 2, workers: 2, form: smallForm, cache: false, decoder });
let batches = 0;
for await (const _ of loader) if (++batches === 3) break;
console.log(`${batches} batches`);
