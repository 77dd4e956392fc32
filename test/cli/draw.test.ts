/** `praxis draw` and `praxis download`, run as commands. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeSpeed } from '../../src/cli/download.js';
import { progressLine } from '../../src/cli/progress.js';
import { praxis } from '../support/command.js';

let root: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-draw-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

test('draw: a set, all there the second time, refused with other options', async () => {
  const folder = path.join(root, 'flowers');
  const options = ['--pictures', '6', '--species', 'rose,lily', '--size', '24'];
  const first = await praxis('draw', folder, ...options);
  assert.match(first.out, /flowers: 6 pictures of rose, lily; 6 drawn in [\d.]+ s\.\n$/);
  assert.deepEqual(readdirSync(folder).sort(), ['drawn.json', 'lily', 'rose']);
  assert.match((await praxis('draw', folder, ...options)).out, /6 pictures of rose, lily, all there already\.\n$/);
  const refused = await praxis('draw', folder, ...options, '--seed', '5');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^.*holds a set drawn otherwise \(seed 0 instead of 5\).*\n$/);
  assert.match((await praxis('draw', folder, ...options, '--seed', '5', '--overwrite')).out, /6 drawn/);
});

test('draw: an option out of range is one sentence', async () => {
  const { err, code } = await praxis('draw', path.join(root, 'none'), '--difficulty', 'hard');
  assert.equal(code, 1);
  assert.equal(err, '✘ difficulty must be a number from 0 to 1, not NaN.\n');
});

test('download: an unknown name is one sentence', async () => {
  const { err, code } = await praxis('download', 'imagenet', root);
  assert.equal(code, 2);
  assert.equal(
    err,
    "✘ Praxis does not know a data set named 'imagenet'; it knows flowers102, cifar10, cifar100, mnist, fashion-mnist.\n",
  );
});

test('the speed of a download is that of its last seconds', () => {
  let now = 0;
  const speed = makeSpeed(() => now);
  assert.equal(speed('a', 0), 0);
  now = 1000;
  assert.equal(speed('a', 500), 500);
  now = 4000;
  assert.equal(speed('a', 6500), 1625);
  now = 8000;
  assert.equal(speed('a', 6500), 0);
  assert.equal(speed('b', 100), 0);
});

test('the progress line is written only to a terminal, and cut to its width', () => {
  const texts: string[] = [];
  const write = (text: string) => texts.push(text) > 0;
  const log = progressLine({ write });
  log.show('x', true);
  log.clear();
  assert.deepEqual(texts, []);
  const line = progressLine({ isTTY: true, columns: 6, write });
  line.show('123456789', true);
  line.show('soon', false);
  line.clear();
  line.clear();
  assert.deepEqual(texts, ['\r\u001b[K12345', '\r\u001b[K']);
});
