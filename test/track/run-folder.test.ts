/** Run folders: what they hold, and what kills, full disks, other processes and torn lines make of them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listRuns, RunError, RunFolder } from '../../src/track/index.js';
import { folderName } from '../../src/track/run-folder.js';
import { withTinyDisk } from './disk.js';

const program = fileURLToPath(new URL('children.ts', import.meta.url));
const environment = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined };

let folder: string;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-runs-'));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const inner = (...names: string[]) => path.join(folder, ...names);

function child(what: string, place: string): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', program, what, place], {
    env: environment,
    stdio: ['pipe', 'pipe', what === 'warn' ? 'pipe' : 'inherit'],
  });
}

async function firstLine(process: ChildProcess): Promise<string> {
  let text = '';
  for await (const piece of process.stdout as NodeJS.ReadableStream) {
    text += String(piece);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  return text;
}

const gone = (process: ChildProcess) =>
  process.exitCode !== null || process.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => process.once('exit', resolve));

describe('RunFolder', () => {
  test('the folder, its record and its metrics', async () => {
    const date = new Date(2026, 10, 22, 23, 59);
    const facts = { seed: 3, configuration: { lr: Number.NaN, list: [1, 2] } };
    const run = await RunFolder.create(inner('runs'), {
      name: 'Flowers ConvNet',
      date,
      facts,
      command: 'praxis train x',
    });
    const second = await RunFolder.create(inner('runs'), { name: 'flowers/convnet', date });
    assert.equal(run.path, inner('runs', '2026-11-22-flowers-convnet'));
    assert.equal(second.path, inner('runs', '2026-11-22-flowers-convnet-2'));
    await second.end('stopped', { reason: 'Ctrl-C' });
    run.log({ step: 1, loss: 0.5 });
    run.log({ step: 2, loss: Number.NaN, high: Number.POSITIVE_INFINITY });
    assert.deepEqual(await run.metrics(), [
      { step: 1, loss: 0.5 },
      { step: 2, loss: Number.NaN, high: Number.POSITIVE_INFINITY },
    ]);
    assert.equal(
      fs.readFileSync(run.file('metrics.jsonl'), 'utf8'),
      '{"step":1,"loss":0.5}\n{"step":2,"loss":"NaN","high":"Infinity"}\n',
    );
    await run.update({ best: { metric: 'accuracy', value: 0.75, step: 2 } });
    assert.equal((await RunFolder.open(run.path)).state, 'running');
    await run.end('finished', { result: { accuracy: 0.75 } });
    const read = await RunFolder.open(run.path);
    assert.equal(read.state, 'finished');
    const { record } = read;
    assert.deepEqual(record.configuration, { lr: Number.NaN, list: [1, 2] });
    assert.deepEqual(
      [record.seed, record.version, record.sessions.length, record.sessions[0]?.command],
      [3, 1, 1, 'praxis train x'],
    );
    assert.ok(record.sessions[0]?.ended !== undefined && record.finished !== undefined);
    assert.throws(() => read.log({ step: 1 }), /is open for reading; open it with \{ write: true \}/);
    assert.throws(() => run.log({ step: 1 }), /is closed/);
    assert.ok(!fs.existsSync(run.file('run.lock')));
  });

  test('names of folders', () => {
    for (const [name, wanted] of [
      ['Flowers ConvNet', 'flowers-convnet'],
      ['../../etc', 'etc'],
      ['Größe/Übung', 'größe-übung'],
      ['***', 'run'],
      ['x'.repeat(300), 'x'.repeat(60)],
      ['a  b__c', 'a-b__c'],
      ['花', '花'],
    ] as const)
      assert.equal(folderName(name), wanted);
  });

  test('runs that begin at once get folders of their own', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => RunFolder.create(inner('at-once'), { name: 'x' })));
    assert.equal(new Set(runs.map((run) => run.path)).size, 8);
    await Promise.all(runs.map((run) => run.close()));
  });

  test('what is no run folder is named', async () => {
    await assert.rejects(
      RunFolder.open(inner('nowhere')),
      /^RunError: There is no run .*nowhere; 'praxis runs' lists the runs\.$/,
    );
    fs.mkdirSync(inner('empty'));
    await assert.rejects(RunFolder.open(inner('empty')), /is not a run folder: it has no run\.json/);
    for (const [content, problem] of [
      ['', 'it is empty'],
      ['{', 'it is not JSON'],
      ['[]', "'' is not as it should be"],
      ['{"version":2}', 'it is of version 2, made by a newer Praxis'],
      ['{"version":1,"name":5}', "'name' is not as it should be"],
    ] as const) {
      fs.writeFileSync(inner('empty', 'run.json'), content);
      await assert.rejects(
        RunFolder.open(inner('empty')),
        (error: Error) => error.message.includes(problem) || assert.fail(error.message),
      );
    }
  });

  test('one process at a time; a killed one is interrupted and can be taken up', async () => {
    const holder = child('hold', inner('locked'));
    const place = await firstLine(holder);
    await assert.rejects(RunFolder.resume(place), (error: RunError) => {
      assert.match(error.message, new RegExp(`is in use by process ${holder.pid} since .*; wait for it to end`));
      return error instanceof RunError;
    });
    assert.equal((await RunFolder.open(place)).state, 'running');
    assert.equal(listRuns(inner('locked'))[0]?.state, 'running');
    holder.kill('SIGKILL');
    await gone(holder);
    assert.equal((await RunFolder.open(place)).state, 'interrupted');
    assert.equal(listRuns(inner('locked'))[0]?.state, 'interrupted');
    fs.writeFileSync(path.join(place, '.run.json.00000000-0000-4000-8000-000000000000.tmp'), 'half');
    fs.appendFileSync(path.join(place, 'metrics.jsonl'), '{"step":52,"lo');
    // Of four that take it up at once, one gets it.
    const takers = Array.from({ length: 4 }, () => child('resume', place));
    const answers = await Promise.all(takers.map(firstLine));
    assert.equal(answers.filter((answer) => answer === 'mine').length, 1, answers.join('\n'));
    for (const answer of answers) assert.match(answer, /^mine$|^RunError: .* is in use by process \d+ since/);
    for (const taker of takers) taker.stdin?.end();
    await Promise.all(takers.map(gone));
    const run = await RunFolder.resume(place, { fromStep: 40 });
    assert.deepEqual(
      fs.readdirSync(place).filter((name) => name.endsWith('.tmp')),
      [],
    );
    assert.ok((await run.truncateAfter(40)) >= 10);
    run.log({ step: 41, again: true });
    const lines = await run.metrics();
    assert.deepEqual(
      lines.map((line) => line.step),
      Array.from({ length: 41 }, (_, i) => i + 1),
    );
    const { sessions } = run.record;
    assert.deepEqual([sessions.length, sessions[2]?.fromStep], [3, 40]);
    assert.ok(sessions[0]?.ended !== undefined);
    await run.end('finished');
  });

  test('a lock of another machine counts while it is touched', async () => {
    const run = await RunFolder.create(inner('far'), { name: 'x' });
    await run.close();
    const lock = run.file('run.lock');
    const holder = { pid: 1, host: 'elsewhere', born: '', since: '2026-11-22T00:00:00Z', token: 'abc' };
    fs.writeFileSync(lock, JSON.stringify(holder));
    await assert.rejects(RunFolder.resume(run.path), /in use by process 1 on elsewhere since 2026-11-22/);
    const old = new Date(Date.now() - 300_000);
    fs.utimesSync(lock, old, old);
    await (await RunFolder.resume(run.path)).close();
    // A number that was given again to another process is not the one that took the lock.
    fs.writeFileSync(lock, JSON.stringify({ ...holder, pid: process.pid, host: os.hostname(), born: '1' }));
    if (fs.existsSync('/proc/self/stat')) await (await RunFolder.resume(run.path)).close();
    assert.equal((await RunFolder.open(run.path)).state, 'interrupted');
  });

  test('a process of another container is no neighbour, whatever the host is called', async () => {
    const run = await RunFolder.create(inner('container'), { name: 'x' });
    await run.close();
    const lock = run.file('run.lock');
    const holder = { pid: 2 ** 30, born: '', since: '2026-11-22T00:00:00Z', token: 'abc', host: os.hostname() };
    fs.writeFileSync(lock, JSON.stringify({ ...holder, space: 'pid:[1]' }));
    await assert.rejects(RunFolder.resume(run.path), /in use by process 1073741824 of another container since/);
    assert.equal((await RunFolder.open(run.path)).state, 'running');
    const old = new Date(Date.now() - 121_000);
    fs.utimesSync(lock, old, old);
    await (await RunFolder.resume(run.path)).close();
    // A lock that tells no space is of this one.
    fs.writeFileSync(lock, JSON.stringify(holder));
    await (await RunFolder.resume(run.path)).close();
  });

  const linux = process.platform === 'linux' ? false : 'only Linux has /proc';
  test('a process that has ended and that nobody waits for holds nothing', { skip: linux }, async () => {
    const start = `"${process.execPath}" --import tsx "${program}" hold "$1" & exec sleep 60`;
    const parent = spawn('sh', ['-c', start, 'sh', inner('zombie')], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const place = await firstLine(parent);
      const { pid } = JSON.parse(fs.readFileSync(path.join(place, 'run.lock'), 'utf8')) as { pid: number };
      await assert.rejects(RunFolder.resume(place), /is in use by process/);
      process.kill(pid, 'SIGKILL');
      const stateNow = () =>
        fs
          .readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .charAt(0);
      while (stateNow() !== 'Z') await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal((await RunFolder.open(place)).state, 'interrupted');
      await (await RunFolder.resume(place)).close();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('whoever was given up writes nothing more once another has taken over', async () => {
    const run = await RunFolder.create(inner('lost'), { name: 'x' });
    run.log({ step: 1 });
    await run.flush();
    run.requireOurs();
    const files = () =>
      ['run.json', 'run.lock', 'metrics.jsonl'].map((name) => fs.readFileSync(run.file(name), 'utf8'));
    const lock = JSON.parse(fs.readFileSync(run.file('run.lock'), 'utf8'));
    fs.writeFileSync(run.file('run.lock'), JSON.stringify({ ...lock, pid: 7, host: 'elsewhere', token: 'abc' }));
    const before = files();
    await run.update({ reason: 'not noticed yet' });
    assert.throws(() => run.requireOurs(), /x was taken over by process 7 on elsewhere at .* writes nothing more\.$/);
    run.log({ step: 2 });
    await run.update({ reason: 'lost' });
    await run.end('failed');
    assert.deepEqual(files(), before);
  });

  test('a warning to a closed pipe is survived', async () => {
    const warner = child('warn', inner('warned'));
    (warner.stderr as NodeJS.ReadableStream & { destroy(): void }).destroy();
    assert.equal(await firstLine(warner), 'still here');
    await gone(warner);
    assert.equal(warner.exitCode, 0);
  });

  test('a full disk costs warnings, and nothing that fits later', async (context) => {
    const done = await withTinyDisk(300, (place) => {
      const ended = spawnSync(process.execPath, ['--import', 'tsx', program, 'fill', place], {
        env: environment,
        encoding: 'utf8',
      });
      assert.equal(ended.status, 0, ended.stderr);
      const told = JSON.parse(ended.stdout) as {
        warnings: string[];
        during: { waiting: number; problem: string };
        lines: number;
        last: number;
        status: { dropped: number };
      };
      assert.ok(told.during.waiting > 0);
      assert.match(told.during.problem, /is full/);
      assert.deepEqual([told.lines, told.last, told.status.dropped], [2000, 2000, 0]);
      assert.match(
        told.warnings[0] as string,
        /metrics\.jsonl cannot be written: the disk that holds .* is full; free some space; the run goes on/,
      );
      assert.ok(told.warnings.some((warning) => /metrics\.jsonl can be written again; nothing was lost/.test(warning)));
      assert.equal(told.warnings.filter((warning) => /run\.json cannot be written/.test(warning)).length, 1);
    });
    if (!done) context.skip('no file system can be mounted here');
  });

  test('a removed folder costs warnings, and is written again when it is back', async () => {
    const warnings: string[] = [];
    const run = await RunFolder.create(inner('removed'), {
      name: 'x',
      onWarning: (sentence) => warnings.push(sentence),
    });
    run.log({ step: 1 });
    await run.flush();
    fs.renameSync(run.path, `${run.path}-away`);
    for (let step = 2; step <= 5; step++) {
      run.log({ step });
      await run.flush();
      await run.update({ progress: { step } });
    }
    assert.equal(warnings.length, 2, warnings.join('\n'));
    fs.renameSync(`${run.path}-away`, run.path);
    assert.deepEqual(
      (await run.metrics()).map((line) => line.step),
      [1, 2, 3, 4, 5],
    );
    await run.end('finished');
    assert.equal((await RunFolder.open(run.path)).record.progress?.step, 5);
  });
});

describe('lists of runs', () => {
  test('sorted, with broken ones named', async () => {
    const place = inner('list');
    const old = await RunFolder.create(place, { name: 'old' });
    await old.end('finished');
    const fresh = await RunFolder.create(place, { name: 'fresh' });
    await fresh.end('failed', { reason: 'no data' });
    fs.mkdirSync(path.join(place, 'not-a-run'));
    fs.mkdirSync(path.join(place, 'broken'));
    fs.writeFileSync(path.join(place, 'broken', 'run.json'), '{"version":1}');
    const runs = listRuns(place);
    assert.deepEqual(
      runs.map((run) => [run.name, run.state]),
      [
        ['fresh', 'failed'],
        ['old', 'finished'],
        ['broken', 'broken'],
      ],
    );
    assert.match(runs[2]?.problem as string, /broken.run\.json cannot be read: 'name' is not as it should be/);
    assert.equal(listRuns(old.path).length, 1);
    assert.throws(() => listRuns(inner('no-such')), /There is no folder .*no-such; runs are made by 'praxis train'/);
    assert.throws(() => listRuns(old.file('run.json')), /is a file; give the folder/);
  });
});
