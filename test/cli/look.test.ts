import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LookReport } from '../../src/look/index.js';
import { plant } from '../look/planted.js';
import { praxis, type Said } from '../support/command.js';

/** What the command prints, and its exit code. */
const run = (...args: string[]): Promise<Said> => praxis('look', ...args);

describe('praxis look', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-look-cli-'));
  const trees = path.join(folder, 'trees');
  before(async () => void (await plant(trees, 45, 1)));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('says in one screen what is there and what is wrong, and writes what it is asked to', async () => {
    const [page, list] = [path.join(folder, 'look.html'), path.join(folder, 'fix.jsonl')];
    const said = await run(trees, '--html', page, '--fix-list', list);
    assert.equal(said.err, '');
    assert.equal(said.code, 0, 'findings are no failure');
    assert.match(said.out, /^trees: \d+ pictures in 4 classes\n/);
    assert.match(said.out, /\nash +\d+ +█+/);
    assert.match(said.out, /✘ 3 pictures cannot be read: /);
    assert.match(said.out, /\n {2}→ Fetch these files again/);
    assert.ok(said.out.split('\n').length <= 60, said.out);
    assert.match(readFileSync(page, 'utf8'), /^<!doctype html>/);
    const names = readFileSync(list, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name);
    assert.ok(names.includes('train/ash/empty-0.jpg'));

    const less = await run(trees, '--exclude', list, '--quick');
    assert.doesNotMatch(less.out, /cannot be read/);
  });

  test('--json is a report', async () => {
    const { out } = await run(trees, '--json', '--quick');
    const report = JSON.parse(out) as LookReport;
    assert.equal(report.version, 1);
    assert.equal(report.findings.find(({ kind }) => kind === 'unreadable')?.samples.length, 3);
  });

  test('one clear sentence for what cannot be done', async () => {
    const nowhere = path.join(folder, 'nowhere');
    assert.deepEqual(await run(nowhere), { out: '', err: `✘ ${nowhere}: no such file or folder\n`, code: 1 });
    const list = path.join(folder, 'wrong.jsonl');
    writeFileSync(list, '{"name": "a.jpg"}\nb.jpg\n');
    const wrong = await run(trees, '--exclude', list);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /wrong\.jsonl, line 2: a line like \{"name": /);
    const missing = await run(trees, '--exclude', path.join(folder, 'none.jsonl'));
    assert.match(missing.err, /none\.jsonl: no such file\n$/);
    const page = path.join(folder, 'no', 'such', 'look.html');
    const unwritable = await run(trees, '--quick', '--html', page);
    assert.equal(unwritable.code, 1);
    assert.match(unwritable.err, /^.*look\.html cannot be written: .+\n$/);
    assert.ok(!existsSync(page));
    assert.match(
      (await run(trees, '--samples', 'many')).err,
      /'--samples <n>' argument 'many' is invalid. a whole number/,
    );
  });
});
