/** Layers, functions and losses against PyTorch: stored results always, side by side where there is a Python with the same torch. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { torch } from '../../src/index.js';
import { runPython, skipLive } from '../support/python.js';
import { atLeast, forPython } from './case.js';
import { allCases } from './cases.js';
import { check, type ExpectedByName, withoutNormBias } from './compare.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = path.join(root, 'scripts/golden/nn.py');
const stored = path.join(root, 'test/golden/nn.pt');

const modern = atLeast(torch.version, '2.0');
const known = allCases.filter((item) => atLeast(torch.version, item.since));

describe('stored results of PyTorch', async () => {
  const expected = await torch.load<ExpectedByName>(stored);
  for (const item of allCases.filter((x) => x.golden)) {
    test(item.name, () => {
      const found = expected[item.name];
      assert.ok(found, 'not in test/golden/nn.pt: run scripts/golden/nn.ts');
      // Another version, or another processor, rounds elsewhere.
      check(item, found.float32, 'float32', { initial: 1e-6, computed: 2e-5 });
    });
  }
});

describe('side by side with Python', { skip: skipLive }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-nn-'));
  let expected: ExpectedByName = {};
  before(async () => {
    const file = path.join(folder, 'expected.pt');
    const failures = runPython<Record<string, string>>([script, file], forPython(known));
    assert.deepEqual(failures, {});
    torch.setNumThreads(1);
    expected = await torch.load<ExpectedByName>(file);
  });
  after(() => rmSync(folder, { recursive: true }));
  for (const item of known) {
    test(item.name, () => {
      const found = expected[item.name] as NonNullable<ExpectedByName[string]>;
      check(item, found.float32, 'float32', { initial: 0, computed: 1e-6 });
      check(item, found.float64 as typeof found.float32, 'float64', { initial: 0, computed: 1e-12 });
      if (item.make === null || (item.printVaries && !modern)) return;
      // Before 2.0 some strings were printed without quotes.
      const plain = (text: string): string => (modern ? withoutNormBias(text) : text.replaceAll("'", ''));
      assert.equal(plain(String(item.make())), plain(found.float32.print));
    });
  }
});
