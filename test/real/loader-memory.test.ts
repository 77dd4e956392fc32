/** 50,000 pictures, 16 threads: what the loader takes besides the mapped cache. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const MB = 1e6;
const dist = path.join(import.meta.dirname, '../../dist');
const skip =
  process.platform !== 'linux'
    ? 'reads /proc, which only Linux has'
    : !existsSync(path.join(dist, 'data/loader/index.js')) && 'dist/ is not built (npm run setup)';

test('50,000 pictures with 16 threads take less than 600 MB above the cache map', {
  skip,
}, (t) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', path.join(import.meta.dirname, 'loader-memory-child.ts'), dist, '50000', '16'],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const { decoding, cached, seconds } = JSON.parse(stdout) as Record<string, number>;
  t.diagnostic(
    `first epoch ${Math.round((decoding as number) / MB)} MB, cached ${Math.round((cached as number) / MB)} MB, ${seconds} s`,
  );
  assert.ok((decoding as number) < 600 * MB);
  assert.ok((cached as number) < 600 * MB);
});
