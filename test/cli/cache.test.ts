import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Command } from 'commander';
import { addCache } from '../../src/cli/cache.js';
import { defaultCacheFolder } from '../../src/data/cache/folder.js';

const folder = mkdtempSync(path.join(tmpdir(), 'praxis-cache-'));
after(() => rmSync(folder, { recursive: true }));
process.env.PRAXIS_CACHE_DIR = folder;

function makeCache(name: string): string {
  const within = path.join(folder, name);
  mkdirSync(within);
  const form = { height: 64, width: 48, channels: 3, fit: 'squash', decode: 'fast' };
  const about = { praxisCache: 1, name, root: `/data/${name}`, samples: 3, form };
  writeFileSync(path.join(within, 'about.json'), JSON.stringify(about));
  writeFileSync(path.join(within, 'pictures.bin'), Buffer.alloc(20_000));
  return within;
}

async function run(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = console.error = (line: string) => void lines.push(line);
  const program = new Command();
  addCache(program);
  try {
    await program.parseAsync(['cache', ...args], { from: 'user' });
  } finally {
    console.log = log;
    console.error = error;
  }
  return lines.join('\n');
}

test('lists and clears caches, and only caches', async () => {
  makeCache('tulips');
  makeCache('roses');
  const used = makeCache('busy');
  writeFileSync(path.join(used, `user-${hostname()}-${process.pid}-0`), '');
  // A process that is gone does not use it any more.
  writeFileSync(path.join(folder, 'tulips', `user-${hostname()}-999999999-0`), '');
  mkdirSync(path.join(folder, 'mine'));
  writeFileSync(path.join(folder, 'mine', 'pictures.bin'), 'not a cache');

  const listed = await run();
  assert.match(listed, /tulips +\d+ kB {2}3 pictures, 48 × 64, last used .*\/data\/tulips/);
  assert.match(listed, /busy .*, in use/);
  assert.match(listed, new RegExp(`3 caches, .* in ${folder}$`));

  assert.match(await run('clear', 'rose'), /no cache of 'rose'/);
  assert.equal(process.exitCode, 1);
  process.exitCode = 0;
  await run('clear', 'roses');
  assert.deepEqual(readdirSync(folder).sort(), ['busy', 'mine', 'tulips']);
  assert.match(await run('clear'), /busy is in use and stays/);
  assert.deepEqual(readdirSync(folder).sort(), ['busy', 'mine']);
});

test('where caches lie', () => {
  assert.equal(defaultCacheFolder({ PRAXIS_CACHE_DIR: '/somewhere' }), path.resolve('/somewhere'));
  if (process.platform === 'linux') {
    assert.equal(defaultCacheFolder({ XDG_CACHE_HOME: '/caches' }), '/caches/praxis');
    assert.match(defaultCacheFolder({ XDG_CACHE_HOME: 'relative' }), /\.cache\/praxis$/);
  }
});
