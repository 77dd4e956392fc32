/** Files of a run: those that appear whole, those that grow, and the numbers in them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AppendLog,
  FileWriteError,
  RunFolder,
  readMetrics,
  removeTemporaries,
  replaceWithLink,
  truncateMetrics,
  writeFileAtomic,
  writeFileAtomicSync,
} from '../../src/track/index.js';
import { parseExact, parsePlain, stringifyExact, stringifyPlain } from '../../src/track/json.js';
import { withTinyDisk } from './disk.js';

const isRoot = process.getuid?.() === 0;

let folder: string;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-files-of-runs-'));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const inner = (...names: string[]) => path.join(folder, ...names);

describe('files that appear whole', () => {
  test('written, replaced, and nothing left beside', async () => {
    await writeFileAtomic(inner('a.txt'), 'one');
    writeFileAtomicSync(inner('a.txt'), Buffer.from('two'));
    assert.equal(fs.readFileSync(inner('a.txt'), 'utf8'), 'two');
    fs.symlinkSync(inner('a.txt'), inner('link'));
    await writeFileAtomic(inner('link'), 'three');
    assert.ok(fs.lstatSync(inner('link')).isSymbolicLink());
    assert.equal(fs.readFileSync(inner('a.txt'), 'utf8'), 'three');
    await replaceWithLink(inner('a.txt'), inner('alias'));
    await replaceWithLink(inner('a.txt'), inner('alias'));
    assert.equal(fs.statSync(inner('alias')).ino, fs.statSync(inner('a.txt')).ino);
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  test('what cannot be written is one sentence, and the old file stays', async () => {
    fs.mkdirSync(inner('is-folder'));
    for (const write of [
      async (file: string) => writeFileAtomicSync(file, 'x'),
      (file: string) => writeFileAtomic(file, 'x'),
    ]) {
      await assert.rejects(write(inner('none', 'a')), (error: FileWriteError) => {
        assert.equal(
          error.message,
          `${inner('none', 'a')} cannot be written: there is no folder ${inner('none')}; make it first.`,
        );
        return error instanceof FileWriteError && error.code === 'ENOENT';
      });
      await assert.rejects(write(inner('a.txt', 'b')), /is not a folder; use another one\.$/);
      await assert.rejects(write(inner('is-folder')), FileWriteError);
    }
    assert.deepEqual(removeTemporaries(folder), []);
  });

  test('a read-only folder', { skip: isRoot && 'root may write everywhere' }, async () => {
    fs.mkdirSync(inner('closed'), { mode: 0o500 });
    await assert.rejects(
      writeFileAtomic(inner('closed', 'a'), 'x'),
      /you may not write in .*closed; change its permissions/,
    );
  });

  test('a full disk', async (context) => {
    const done = await withTinyDisk(64, async (place) => {
      const file = path.join(place, 'a');
      await writeFileAtomic(file, 'old');
      for (const write of [
        async () => writeFileAtomicSync(file, Buffer.alloc(200_000)),
        () => writeFileAtomic(file, Buffer.alloc(200_000)),
      ])
        await assert.rejects(write(), /a cannot be written: the disk that holds .* is full; free some space\.$/);
      assert.equal(fs.readFileSync(file, 'utf8'), 'old');
      assert.deepEqual(fs.readdirSync(place), ['a']);
    });
    if (!done) context.skip('no file system can be mounted here');
  });

  test('a read-only file system', async (context) => {
    const done = await withTinyDisk(64, async (place) => {
      spawnSync('mount', ['-o', 'remount,ro', place]);
      await assert.rejects(
        writeFileAtomic(path.join(place, 'a'), 'x'),
        /lies on a file system that is read-only; use another folder\.$/,
      );
      await assert.rejects(RunFolder.create(path.join(place, 'runs'), { name: 'x' }), /read-only/);
    });
    if (!done) context.skip('no file system can be mounted here');
  });
});

describe('metrics.jsonl', () => {
  test('torn and foreign lines are left out, and cut off when the run goes on', async () => {
    const file = inner('torn.jsonl');
    const good = ['{"step":1}', '{"step":2,"loss":"NaN"}', '{"step":2,"kind":"epoch"}', '{"step":3}']
      .map((line) => `${line}\n`)
      .join('');
    const steps = async () => {
      const found: number[] = [];
      for await (const line of readMetrics(file)) found.push(line.step);
      return found;
    };
    for (let cut = 0; cut < 10; cut++) {
      fs.writeFileSync(file, `${good}{"step":4}`.slice(0, good.length + cut));
      assert.deepEqual(await steps(), cut === 10 ? [1, 2, 2, 3, 4] : [1, 2, 2, 3]);
      await truncateMetrics(file, 9);
      assert.equal(fs.readFileSync(file, 'utf8'), good);
    }
    fs.writeFileSync(file, `rubbish\n[]\nnull\n${good}`);
    assert.deepEqual(await steps(), [1, 2, 2, 3]);
    assert.equal(await truncateMetrics(file, 2), 1);
    assert.deepEqual(await steps(), [1, 2, 2]);
    assert.equal(await truncateMetrics(file, 0), 3);
    assert.deepEqual(await steps(), []);
    assert.equal(await truncateMetrics(inner('none.jsonl'), 3), 0);
  });

  test('numbers survive', () => {
    const value = {
      a: Number.NaN,
      b: -0,
      c: [Number.NEGATIVE_INFINITY, 0.1, 5e-324],
      d: 2n ** 70n,
      e: { $number: 'x', f: 1 },
    };
    const back = parseExact(stringifyExact(value)) as typeof value;
    assert.deepEqual(back, value);
    assert.ok(Object.is(back.b, -0));
    assert.deepEqual(parsePlain(stringifyPlain({ a: Number.NaN, b: [Number.POSITIVE_INFINITY] })), {
      a: Number.NaN,
      b: [Number.POSITIVE_INFINITY],
    });
  });
});

describe('AppendLog', () => {
  test('holds back no more than its limit while writing fails', async () => {
    const warnings: string[] = [];
    const log = new AppendLog(inner('nowhere', 'log'), {
      limit: 1000,
      onWarning: (sentence) => warnings.push(sentence),
    });
    for (let i = 0; i < 100; i++) log.append(`${'x'.repeat(99)}\n`);
    await log.flush();
    for (let i = 0; i < 100; i++) log.append(`${'y'.repeat(99)}\n`);
    assert.deepEqual([log.status.waiting, log.status.dropped], [10, 190]);
    fs.mkdirSync(inner('nowhere'));
    await log.close();
    assert.equal(fs.readFileSync(inner('nowhere', 'log'), 'utf8').length, 1000);
    assert.match(warnings.at(-1) as string, /can be written again; 190 records were lost/);
  });

  test('a warning that throws (a closed pipe) is survived', async () => {
    const log = new AppendLog(inner('nowhere2', 'log'), {
      onWarning: () => {
        throw new Error('EPIPE');
      },
    });
    log.append('x');
    await log.flush();
    await log.close();
    assert.equal(log.status.dropped, 1);
  });

  test('costs next to nothing', async () => {
    const log = new AppendLog(inner('fast'));
    const start = performance.now();
    for (let i = 0; i < 20_000; i++)
      log.append(`{"step":${i},"loss":0.123456789,"accuracy":0.5,"learningRate":0.001}\n`);
    const each = ((performance.now() - start) * 1000) / 20_000;
    await log.close();
    assert.equal(fs.readFileSync(inner('fast'), 'utf8').split('\n').length, 20_001);
    // 1 % of a step of 50 ms is 500 µs.
    assert.ok(each < 250, `${each} µs`);
  });
});
