import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildJpeg, findJpegLibrary } from '../../scripts/setup/jpeg.mjs';
import { temporaryFolder, writeTree } from './trees.js';

function makeInput(t: TestContext) {
  const folder = temporaryFolder(t);
  const prefix = writeTree(path.join(folder, 'usr'), { 'include/jpeglib.h': '/* a header */' });
  const native = writeTree(path.join(folder, 'native'), { 'jpeg.cc': 'fine' });
  // A compiler that writes a script where an addon was expected, or fails.
  const command = path.join(folder, 'compiler');
  writeFileSync(
    command,
    `#!/bin/sh
echo call >> "${folder}/calls"
for word; do [ "$before" = -o ] && output="$word"; before="$word"; done
grep -q WRONG "${native}/jpeg.cc" && { echo "jpeg.cc:1:1: error: WRONG is wrong" >&2; exit 1; }
cp "${native}/jpeg.cc" "$output"
`,
  );
  chmodSync(command, 0o755);
  const options = { native, folder: path.join(folder, 'build'), prefix, nodeHeaders: '/include/node', rebuild: false };
  return { folder, options: { ...options, compiler: { command, version: 'g++ 12' }, env: process.env } };
}

test('libjpeg is looked for by its header', (t) => {
  const { options } = makeInput(t);
  assert.equal(findJpegLibrary(['/nowhere', options.prefix]), options.prefix);
  assert.equal(findJpegLibrary(['/nowhere']), null);
});

test('without libjpeg nothing is built and nothing is said', async (t) => {
  const { folder, options } = makeInput(t);
  assert.deepEqual(await buildJpeg({ ...options, prefix: null }), {
    addon: null,
    changed: false,
    detail: 'no libjpeg',
  });
  assert.ok(!existsSync(path.join(folder, 'calls')));
});

test('what does not compile, or does not load, is left out with a remark', async (t) => {
  const { folder, options } = makeInput(t);
  // What the compiler "built" is no addon.
  const unusable = await buildJpeg(options);
  assert.equal(unusable.addon, null);
  assert.match(unusable.detail, /^not built: /);
  writeFileSync(path.join(options.native, 'jpeg.cc'), 'WRONG');
  const failed = await buildJpeg(options);
  assert.deepEqual(failed, { addon: null, changed: true, detail: 'not built: jpeg.cc:1:1: error: WRONG is wrong' });
  assert.equal(readFileSync(path.join(folder, 'calls'), 'utf8'), 'call\ncall\n');
});
