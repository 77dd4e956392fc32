/** `praxis report`, as typed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it, mock } from 'node:test';
import { main } from '../../src/cli/main.js';
import { syntheticRun } from '../report/synthetic.js';
import { temporaryFolder } from '../train/runs.js';

async function praxis(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const log = mock.method(console, 'log', (text: string) => {
    stdout += `${text}\n`;
  });
  const error = mock.method(process.stderr, 'write', (text: string) => {
    stderr += text;
    return true;
  });
  try {
    return { code: await main(args), stdout, stderr: stderr };
  } finally {
    log.mock.restore();
    error.mock.restore();
    process.exitCode = 0;
  }
}

describe('praxis report', () => {
  const place = temporaryFolder();
  after(() => fs.rmSync(place, { recursive: true, force: true }));
  const one = syntheticRun(path.join(place, 'one'), { classes: 4, each: 20 });
  const two = syntheticRun(path.join(place, 'two'), { classes: 4, each: 20, seed: 2 });

  it('of one run says the verdict and where the page is; --json gives every figure', async () => {
    const { code, stdout } = await praxis('report', one);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^It recognises [\d.]+ % of pictures it was not trained on\.\nA convnet with 123\.5 k parameters/,
    );
    assert.match(stdout, /Without pictures: the run was given its data as an object/);
    assert.ok(stdout.endsWith(`${path.join(one, 'report.html')}\n`));
    const out = path.join(place, 'elsewhere.html');
    const figures = await praxis('report', one, '--json', '--out', out);
    assert.equal((JSON.parse(figures.stdout) as { figures: { count: number } }).figures.count, 80);
    assert.ok(fs.existsSync(out));
  });

  it('of several compares them', async () => {
    const out = path.join(place, 'comparison.html');
    const { code, stdout } = await praxis('report', one, two, '--out', out);
    assert.equal(code, 0);
    assert.match(stdout, /On the same 80 pictures (one|two) alone is right on \d+/);
    assert.ok(fs.statSync(out).size > 10_000);
  });

  it('what cannot be is told in a sentence', async () => {
    for (const [args, sentence] of [
      [[path.join(place, 'nowhere')], /^✘ There is no run .*nowhere; 'praxis runs' lists the runs\.\n$/],
      [[place], /^✘ .* is not a run folder: it has no run\.json; .*\n$/],
      [[one, one], /^✘ A comparison needs two runs or more: praxis report RUN RUN\.\n$/],
      [
        [one, '--out', path.join(place, 'no', 'such', 'folder.html')],
        /^✘ .*folder\.html cannot be written: there is no folder .*\n$/,
      ],
    ] as const) {
      const { code, stderr } = await praxis('report', ...args);
      assert.notEqual(code, 0);
      assert.match(stderr, sentence);
    }
  });
});
