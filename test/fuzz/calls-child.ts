/**
 * One process of fuzzed calls: `calls-child.ts <seed> <from> <to> <state file>`.
 * Before each call it writes the call's number and operator into the state file, so that whoever finds the process dead knows what killed it.
 * Prints one line of JSON: what happened.
 */
import { openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { limitAddressSpace, live } from '../memory/measure.js';
import { makeCall } from './calls.js';
import type { Finding, Tally } from './children.js';
import { randomFrom } from './mutate.js';

const [seed, from, to] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const state = openSync(process.argv[5] as string, 'w');
// Operators that take a file's name may make one: here, where it is removed with the state file.
process.chdir(path.dirname(path.resolve(process.argv[5] as string)));
const verbose = process.argv[6] === '--verbose';
/** Address space beyond what the started process has: what a call may want before the system refuses. */
const HEADROOM = 1.5 * 2 ** 30;
const LARGEST_RSS = 2 ** 30;
const SLOWEST_MS = 4000;

const record = Buffer.alloc(200);
function announce(index: number, title: string): void {
  record.fill(32);
  record.write(`${index} ${title}`);
  writeSync(state, record, 0, record.length, 0);
}

const findings: Finding[] = [];
const tally = { calls: 0, refused: 0, accepted: 0, operators: 0 };
const operators = new Set<string>();
limitAddressSpace(HEADROOM);
const handlesBefore = (await live()).handles;
let peak = process.resourceUsage().maxRSS;

for (let index = from; index < to; index++) {
  const call = makeCall(randomFrom(seed * 1_000_003 + index * 7919), index);
  if (call === null) continue;
  announce(index, call.title);
  if (verbose) process.stderr.write(`${index} ${call.describe()}\n`);
  const start = performance.now();
  const used = process.cpuUsage();
  const problem = call.run();
  const { user, system } = process.cpuUsage(used);
  // Of a processor that others use as well the call has not had all the time that passed.
  const elapsed = Math.min(performance.now() - start, (user + system) / 1000);
  tally.calls++;
  tally[call.refused ? 'refused' : 'accepted']++;
  operators.add(call.title);
  const report = (what: string) => findings.push({ index, title: call.title, what, call: call.describe() });
  if (problem !== null) report(problem);
  if (elapsed > SLOWEST_MS) report(`took ${(elapsed / 1000).toFixed(1)} s`);
  if (index % 16 !== 15) continue;
  const rss = process.resourceUsage().maxRSS;
  if (rss > peak && rss * 1024 > LARGEST_RSS) report(`raised the process to ${(rss / 1024).toFixed(0)} MB`);
  peak = Math.max(peak, rss);
  // Finalizers that Node defers, and the streams, get their turn.
  if (index % 512 === 511) await new Promise(setImmediate);
}
const handles = (await live()).handles - handlesBefore;
const result: Tally = {
  ...tally,
  operators: operators.size,
  titles: [...operators],
  findings,
  handles,
  peakBytes: peak * 1024,
};
writeSync(1, `${JSON.stringify(result)}\n`);
process.exit(0);
