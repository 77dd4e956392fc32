/** The status line: rewritten on a terminal, plain elsewhere, as wide as it may be, and unmoved by a reader that goes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { duration, runsTable } from '../../src/cli/runs.js';
import { columnsOf, fitParts, StatusLine, stepParts } from '../../src/cli/status-line.js';
import { listRuns, RunFolder } from '../../src/track/index.js';

class Screen {
  written: string[] = [];
  constructor(
    readonly isTTY: boolean,
    readonly columns = 40,
  ) {}
  write(text: string): boolean {
    this.written.push(text);
    return true;
  }
}

const saved = { CI: process.env.CI, TERM: process.env.TERM };
beforeEach(() => {
  delete process.env.CI;
  process.env.TERM = 'xterm';
});
afterEach(() => {
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const step = {
  kind: 'step',
  step: 120,
  steps: 950,
  epoch: 2,
  epochs: 20,
  loss: 1.23456,
  accuracy: 0.5,
  learningRate: 0.00123,
  perSecond: 151.2,
  waiting: 0.031,
  memory: 1.5 * 2 ** 30,
  secondsLeft: 754,
  spike: true,
} as const;

describe('StatusLine', () => {
  test('says what matters most first', () => {
    assert.equal(
      stepParts(step).join('  '),
      'epoch 3/20  step 120/950  loss 1.23 ▲  accuracy 50.0 %  12 min 34 s left  151/s  rate 0.00123  waiting 3 %  1.5 GiB',
    );
  });

  test('fits the width', () => {
    for (let columns = 10; columns < 130; columns++) {
      const line = fitParts(stepParts(step), columns);
      assert.ok(columnsOf(line) <= columns, `${line.length} in ${columns}`);
      assert.ok(line.startsWith('epoch 3/2'));
    }
    assert.equal(fitParts(['花花花花'], 6), '花花…');
    assert.equal(columnsOf('花a\u0301'), 3);
  });

  test('on a terminal one line, not too often', () => {
    let time = 0;
    const screen = new Screen(true);
    const line = new StatusLine(screen, { now: () => time });
    for (time = 0; time < 1000; time += 10) line.update([`step ${time}`]);
    assert.equal(screen.written.length, 10);
    assert.equal(screen.written[1], '\r\u001b[Kstep 100');
    line.print('epoch 1 done');
    assert.deepEqual(screen.written.slice(-2), ['\r\u001b[K', 'epoch 1 done\n']);
    line.close();
  });

  test('in a pipe and in CI plain lines now and then', () => {
    for (const CI of [undefined, 'true']) {
      if (CI !== undefined) process.env.CI = CI;
      let time = 0;
      const screen = new Screen(CI !== undefined);
      const line = new StatusLine(screen, { now: () => time });
      for (time = 0; time < 60_000; time += 100) line.update(['a'.repeat(60), 'b']);
      line.close();
      assert.deepEqual(screen.written, Array(4).fill(`${'a'.repeat(60)}  b\n`));
    }
  });

  test('a reader that goes away does not end the program', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-line-'));
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const file = path.join(folder, 'program.mts');
    const module = pathToFileURL(path.join(root, 'src/cli/status-line.ts')).href;
    fs.writeFileSync(
      file,
      `import { StatusLine } from '${module}';
const line = new StatusLine(process.stdout, { plainInterval: 0 });
for (let i = 0; i < 300; i++) { line.update(['step ' + i + 'x'.repeat(1000)]); await new Promise((r) => setTimeout(r, 2)); }
line.print('end'); process.stderr.write('reached ' + line.gone);`,
    );
    try {
      const child = spawn(process.execPath, ['--import', 'tsx', file], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let errors = '';
      child.stderr.on('data', (piece) => {
        errors += piece;
      });
      child.stdout.once('data', () => child.stdout.destroy());
      const status = await new Promise((resolve) => child.once('exit', resolve));
      assert.deepEqual([status, errors], [0, 'reached true']);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('praxis runs', () => {
  test('durations', () => {
    assert.deepEqual([0, 59.6, 252, 3599.7, 3780].map(duration), [
      '0 s',
      '1 min 00 s',
      '4 min 12 s',
      '1 h 00 min',
      '1 h 03 min',
    ]);
  });

  test('the table', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-list-'));
    try {
      const run = await RunFolder.create(folder, {
        name: 'a',
        facts: { data: { name: 'flowers' }, model: { name: 'convnet' } },
      });
      await run.update({ best: { metric: 'accuracy', value: 0.7654, step: 40, epoch: 4 } });
      await run.end('finished');
      fs.mkdirSync(path.join(folder, 'bad'));
      fs.writeFileSync(path.join(folder, 'bad', 'run.json'), '{');
      const [header, row, problem] = runsTable(listRuns(folder)) as [string, string, string];
      assert.match(header, /^run +state +best +time +data +model$/);
      assert.ok(
        row.startsWith(run.path) && /finished +76\.5 % accuracy \(epoch 4\) +\d s +flowers +convnet$/.test(row),
        row,
      );
      assert.match(problem, /^✘ .*bad.run\.json cannot be read: it is not JSON\.$/);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
