/** Praxis's side of the memory figure, a process of its own: so many tuned steps as `praxis train` takes them, then its peak in bytes. */
import { parseArgs } from 'node:util';
import { torch } from '../src/torch/index.js';
import { Course, courseBatch } from './course.js';

const { positionals } = parseArgs({ allowPositionals: true });
torch.setNumThreads(Number(process.env.PRAXIS_BENCH_THREADS));
const course = new Course(JSON.parse(positionals[1] as string));
const batch = courseBatch();
for (let i = 0; i < Number(positionals[0]); i++) course.stepper.step(batch);
// Kilobytes, on all systems.
console.log(process.resourceUsage().maxRSS * 1024);
