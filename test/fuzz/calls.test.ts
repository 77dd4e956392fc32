import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Finding, fuzzCalls } from './children.js';

/** Another seed looks elsewhere; the same one makes the same calls. */
const SEED = Number(process.env.PRAXIS_FUZZ_SEED ?? 1);
const CALLS = Number(process.env.PRAXIS_FUZZ_CALLS ?? 100_000);
const skip = process.platform === 'linux' ? false : 'bounds memory with prlimit, which only Linux has';

test(`${CALLS} hostile calls of operators end in an error or a result: none in a crash, a hang or much memory`, {
  skip,
}, async (t) => {
  // Some of the numbers fall on operators that are left out.
  const report = await fuzzCalls({
    seed: SEED,
    calls: Math.ceil(CALLS * 1.06),
    part: 10_000,
    parallel: 2,
    mostDeaths: 5,
  });
  t.diagnostic(
    `${report.calls} calls of ${report.titles.size} operators, ${report.refused} refused; ${(report.peakBytes / 1e6).toFixed(0)} MB at most`,
  );
  // To see one again: node --import tsx test/fuzz/calls-child.ts SEED NUMBER NUMBER+1 FILE --verbose
  const describe = (x: Finding) => `seed ${SEED}, call ${x.index}, ${x.title} ${x.what}: ${x.call}`;
  // The engine's operators check their arguments unevenly, and one that writes beyond its memory may be noticed calls later. Those known are left
  // out with a proof; the few that are not yet must not hide what is ours, so they are counted and named. PRAXIS_FUZZ_STRICT=1 allows none.
  const deaths = report.findings.filter((x) => x.what.startsWith('ended the process'));
  for (const death of deaths) t.diagnostic(describe(death));
  assert.ok(deaths.length <= (process.env.PRAXIS_FUZZ_STRICT ? 0 : 6), deaths.map(describe).join('\n'));
  assert.deepEqual(report.findings.filter((x) => !deaths.includes(x)).map(describe), []);
  assert.ok(report.calls >= CALLS - deaths.length, `${report.calls} calls`);
  if (CALLS >= 100_000) assert.ok(report.titles.size > 2700, `${report.titles.size} operators`);
  // Neither a fuzz that only knocks at the door nor one that is let in everywhere would be worth much.
  assert.ok(report.refused > CALLS / 3 && report.refused < CALLS * 0.95, `${report.refused} refused`);
  assert.ok(report.handles < 100, `${report.handles} tensors are left over in one process`);
  assert.ok(report.peakBytes < 1e9, `${report.peakBytes / 1e6} MB`);
});
