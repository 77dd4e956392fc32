import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSource } from '../../src/data/open-source.js';
import { look } from '../../src/look/index.js';
import { writeLookPage } from '../../src/look/page/page.js';
import { fingerprint, judge, plant } from '../look/planted.js';

/** `PRAXIS_DATA`, or `shared/data` beside the repository: files too large for it. */
const data = process.env.PRAXIS_DATA ?? fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), 'praxis-real-look-'));
process.env.PRAXIS_CACHE_DIR = path.join(scratch, 'cache');
after(() => rmSync(scratch, { recursive: true, force: true }));

test('2,000 pictures with 16 kinds of fault: at least 95 % found, at most 2 % false alarms, nothing changed', async (t) => {
  const planted = await plant(path.join(scratch, 'trees'), 1820, 12);
  const before = fingerprint(planted.folder);
  const report = await look(await openSource(planted.folder));
  const { planted: all, missed, found, accused, falseAlarms } = judge(planted, report);
  t.diagnostic(
    `${all - missed.length} of ${all} found, ${accused.length} of ${planted.clean.size} accused, ${report.seconds.toFixed(1)} s`,
  );
  assert.ok(found >= 0.95, missed.join(', '));
  assert.ok(falseAlarms <= 0.02, accused.join(', '));
  assert.equal(fingerprint(planted.folder), before);
});

const flowers = path.join(data, 'flowers5.tar');
test('4,317 photographs', { skip: !existsSync(flowers) && `there is no ${flowers}` }, async (t) => {
  const dataset = await openSource(flowers);
  const began = performance.now();
  let counted = Number.POSITIVE_INFINITY;
  const report = await look(dataset, {
    onEvent: ({ kind }) => {
      if (kind === 'counts') counted = performance.now() - began;
    },
  });
  const page = path.join(scratch, 'look.html');
  await writeLookPage(report, dataset, page);
  const seconds = (performance.now() - began) / 1000;
  t.diagnostic(
    `report and page in ${seconds.toFixed(1)} s, first facts after ${Math.round(counted)} ms, page of ${statSync(page).size} bytes`,
  );
  assert.ok(counted < 2000);
  assert.ok(statSync(page).size < 5e6);
  // Four photographs lie in two folders each.
  const disputed = report.findings.find(({ kind }) => kind === 'conflicting-labels');
  assert.equal(disputed?.evidence.groups, 4);
  assert.ok(disputed?.samples.every(({ name }) => /^(rose|tulip)\//.test(name)));
  const outliers = report.findings.find(({ kind }) => kind === 'outlier');
  assert.ok((outliers?.samples.length ?? 0) < 0.02 * dataset.length);
  // Their files are larger than what they show.
  assert.deepEqual(report.pictures?.detail, { share: 0.25, side: 32, of: 128, pictures: 48 });
  assert.ok(report.findings.some(({ kind }) => kind === 'enlarged'));
  // What a network must beat.
  const told = report.pictures?.separability;
  assert.ok(told && told.balancedAccuracy > 0.5 && told.balancedAccuracy < 0.75, `${told?.balancedAccuracy}`);
});
