/** Praxis's side of the memory figure, a process of its own: so many tuned steps as `praxis train` takes them, then its peak in bytes. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { torch } from '../src/torch/index.js';
import { Course, courseBatch } from './course.js';

const { positionals } = parseArgs({ allowPositionals: true });
torch.setNumThreads(Number(process.env.PRAXIS_BENCH_THREADS));
const course = new Course(JSON.parse(positionals[1] as string));
const batch = courseBatch();
for (let i = 0; i < Number(positionals[0]); i++) course.stepper.step(batch);
// What getrusage says on Linux is not below what the parent process held.
const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
const own = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
console.log(1024 * (own === undefined ? process.resourceUsage().maxRSS : Number(own)));
