/** Folders out of archives: whoever wants the same one at the same time gets it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { temporaryFor } from '../../../src/data/archives/temporary.js';
import { obtainFolder } from '../../../src/data/known/places.js';
import { makeTarGz } from '../archives/make.js';

let root: string;
let base: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-places-'));
});
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  base = mkdtempSync(path.join(root, 'one-'));
  const names = Array.from({ length: 50 }, (_, i) => `jpg/image_${i}.jpg`);
  writeFileSync(path.join(base, 'set.tgz'), makeTarGz(...names.map((name) => ({ name, content: name }))));
});

const obtain = () =>
  obtainFolder('set', { base, archive: 'set.tgz', remote: { urls: [] }, folder: 'jpg' }, { verify: false });

test('two at once end with one folder, whole', async () => {
  const found = await Promise.all([obtain(), obtain(), obtain()]);
  const folder = path.join(base, 'jpg');
  assert.deepEqual(found, [folder, folder, folder]);
  assert.equal(readdirSync(folder).length, 50);
  assert.equal(readFileSync(path.join(folder, 'image_49.jpg'), 'utf8'), 'jpg/image_49.jpg');
  assert.deepEqual(readdirSync(base).sort(), ['jpg', 'set.tgz']);
});

test('what killed processes left goes away, whatever they had come to', async () => {
  // No process has this number: it is above every system's limit.
  const ofNobody = (target: string) => temporaryFor(target).replace(/-\d+(-[0-9a-f-]+)$/, '-99999999$1');
  const left = ofNobody(path.join(base, '.jpg.unpacked'));
  mkdirSync(left);
  mkdirSync(ofNobody(left));
  await obtain();
  assert.deepEqual(readdirSync(base).sort(), ['jpg', 'set.tgz']);
});
