import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { exclusionsOf, readExclusions, withoutSamples } from '../../src/data/exclusions.js';
import { openSource } from '../../src/data/open-source.js';
import { textDataset } from './split/memory.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-exclusions-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

test('a list beside a table is honoured, can be ignored, and goes away with its file', async () => {
  const table = file('t.csv', 'a,label\n1,x\n2,y\n3,x\n4,y\n');
  const all = await openSource(table);
  assert.equal(exclusionsOf(table), undefined);
  const list = file(
    't.csv.praxis-exclude.jsonl',
    `{"name": ${JSON.stringify(all.sampleName(1))}, "reason": "odd"}\n\n`,
  );
  assert.equal(exclusionsOf(table), list);
  const less = await openSource(table);
  assert.deepEqual(
    [0, 1, 2].map((index) => less.sampleName(index)),
    [0, 2, 3].map((index) => all.sampleName(index)),
  );
  assert.deepEqual(
    [0, 1, 2].map((index) => less.target(index)),
    [0, 0, 1],
  );
  assert.equal((await openSource(table, { excludeFile: false })).length, 4);
  rmSync(list);
  assert.equal((await openSource(table)).length, 4);
});

test('a list of names only, with the mark that some editors put first', () => {
  const list = file('names.jsonl', '\uFEFF{"name": "a"}\r\n{"name": "b", "reason": "dark"}');
  assert.deepEqual(readExclusions(list), [
    { name: 'a', reason: 'left out by name' },
    { name: 'b', reason: 'dark' },
  ]);
});

test('one clear sentence for a line that is no entry, and for a list that leaves nothing', () => {
  for (const line of ['a.jpg', '{"path": "a"}', '["a"]', 'null', '{"name": ""}'])
    assert.throws(() => readExclusions(file('bad.jsonl', `{"name": "ok"}\n${line}\n`)), {
      name: 'DataError',
      message: /bad\.jsonl, line 2: a line like \{"name": "rose\/17\.jpg"/,
    });
  const two = textDataset(
    [
      { labels: [0], text: 'a' },
      { labels: [1], text: 'b' },
    ],
    2,
  );
  assert.throws(() => withoutSamples(two, ['made.csv#0', 'made.csv#1'], 'list.jsonl'), {
    name: 'DataError',
    message: 'list.jsonl leaves out all 2 samples of made',
  });
  assert.equal(withoutSamples(two, ['other'], 'list.jsonl'), two, 'names that are not there change nothing');
});

test('parts that come with the data stay', () => {
  const set = textDataset(
    ['a', 'b', 'c', 'd'].map((text) => ({ labels: [0], text })),
    1,
    { officialParts: { train: [0, 1], validation: [2], test: [3] } },
  );
  const less = withoutSamples(set, ['made.csv#1'], 'list.jsonl');
  assert.deepEqual(less.officialParts, { train: [0], validation: [1], test: [2] });
});
