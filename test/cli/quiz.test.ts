import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Command } from 'commander';
import { openerOf } from '../../src/cli/open-browser.js';
import { addQuiz, confusionLines, resultLines } from '../../src/cli/quiz.js';
import { openSource } from '../../src/data/open-source.js';
import { saveSplit, splitDataset } from '../../src/data/split/index.js';
import { readQuizAttempts } from '../../src/look/quiz/file.js';
import { scoreQuiz } from '../../src/look/quiz/score.js';
import { RunFolder } from '../../src/track/run-folder.js';
import { squares } from '../look/quiz/data.js';

interface Running {
  readonly lines: string[];
  /** Of the page, when it is served. */
  readonly url: Promise<string>;
  /** Exit code, when the command has ended. */
  readonly ended: Promise<unknown>;
}

/** Starts the command in this process. */
function start(...args: string[]): Running {
  const lines: string[] = [];
  const { log } = console;
  const before = process.exitCode;
  process.exitCode = undefined;
  let served: (url: string) => void;
  const url = new Promise<string>((resolve) => {
    served = resolve;
  });
  console.log = (text: string) => {
    lines.push(text);
    const found = /http:\S+/.exec(text);
    if (found) served(found[0]);
  };
  const program = new Command();
  addQuiz(program);
  const ended = program
    .parseAsync(['quiz', '--no-open', ...args], { from: 'user' })
    .then(() => process.exitCode)
    .finally(() => {
      console.log = log;
      process.exitCode = before;
    });
  ended.catch(() => undefined);
  return { lines, url, ended };
}

async function post(url: string, what: string, body: object): Promise<{ position: number; total: number }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + what, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json() as Promise<{ position: number; total: number }>;
}

describe('praxis quiz', () => {
  let folder: string;
  let data: string;
  const stamps = (): string[] =>
    readdirSync(data, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => `${name} ${statSync(path.join(data, name)).mtimeMs}`);
  before(async () => {
    folder = await squares(['ash', 'beech', 'cedar'], [20, 20, 20]);
    data = path.join(folder, 'data');
  });
  after(() => rmSync(folder, { recursive: true }));

  test('Ctrl-C keeps what was answered, the same command goes on, the end is told and kept', async () => {
    const out = path.join(folder, 'answers.json');
    const untouched = stamps();
    const args = [data, '--pictures', '4', '--size', '16', '--seed', '3', '--out', out];
    const first = start(...args);
    const url = await first.url;
    await post(url, 'begin', {});
    await post(url, 'answer', { position: 0, answer: 1, seconds: 2 });
    process.emit('SIGINT');
    assert.equal(await first.ended, 130);
    assert.match(
      first.lines.join('\n'),
      /4 of \d+ validation pictures of data, 16×16, 3 classes; none of the test part/,
    );
    assert.match(first.lines.join('\n'), /broken off; the same command goes on from here/);
    const [kept] = await readQuizAttempts(out);
    assert.equal(kept?.answers.length, 1);
    assert.equal(kept?.finished, undefined);

    const second = start(...args);
    const again = await second.url;
    for (let position = 1; position < 4; position++) await post(again, 'answer', { position, answer: 1, seconds: 4 });
    await post(again, 'finish', {});
    assert.equal((await fetch(`${again}result`)).status, 200);
    assert.equal(await second.ended, undefined);
    const said = second.lines.join('\n');
    assert.match(said, /goes on after 1 answers/);
    assert.match(said, /you +\d+ % ± \d+ +\d of 4 right; 95 % interval/);
    assert.match(said, /4\.0 s per picture/);
    const attempts = await readQuizAttempts(out);
    assert.equal(attempts.length, 1, 'one attempt, in two sittings');
    assert.equal(attempts[0]?.answers.length, 4);
    assert.ok(attempts[0]?.finished);
    assert.ok(!existsSync(`${out}.lock`));
    assert.deepEqual(stamps(), untouched, 'the data is left alone');
  });

  test("a run's data, split and size, and its network on the same pictures", async () => {
    const dataset = await openSource(data);
    const split = await splitDataset(dataset, { seed: 8, check: false });
    const form = { height: 12, width: 12, channels: 3, fit: 'squash', decode: 'fast' };
    const run = await RunFolder.create(folder, {
      name: 'x',
      facts: { configuration: { plan: { data: { path: data, form } } } },
    });
    await run.close();
    await saveSplit(split, run.file('split.json'));
    const rows = Array.from({ length: split.validation.length }, (_, i) => ({
      name: split.validation.sampleName(i),
      target: split.validation.target(i),
      probabilities: [0.8, 0.1, 0.1],
    }));
    writeFileSync(run.file('validation.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const quiz = start('--run', run.path, '--pictures', '5', '--learn', '0');
    const url = await quiz.url;
    assert.match(quiz.lines.join('\n'), /12×12/);
    for (let position = 0; position < 5; position++) await post(url, 'answer', { position, answer: 0, seconds: 1 });
    await post(url, 'finish', {});
    await fetch(`${url}result`);
    await quiz.ended;
    const [attempt] = await readQuizAttempts(run.file('quiz.json'));
    assert.equal(attempt?.splitFingerprint, split.fingerprint);
    const names = new Set(rows.map(({ name }) => name));
    for (const { name } of attempt?.answers ?? []) assert.ok(names.has(name), name);
    // The network says what the person says.
    const [you, net] = ['you', 'net'].map((who) => quiz.lines.find((line) => line.startsWith(who))?.slice(3, 50));
    assert.equal(net, you);
    const text = readFileSync(run.file('quiz.json'), 'utf8');
    for (let i = 0; i < 60; i++)
      if (!names.has(`ash/${String(i).padStart(3, '0')}.png`))
        assert.ok(!text.includes(`ash/${String(i).padStart(3, '0')}.png`));
  });

  test('answers do not land among the data by themselves', async () => {
    const place = process.cwd();
    process.chdir(data);
    try {
      await assert.rejects(start('.', '--pictures', '2').ended, /would be kept among the data .* --out/);
    } finally {
      process.chdir(place);
    }
    assert.deepEqual(readdirSync(data).sort(), ['ash', 'beech', 'cedar']);
  });

  test('bad flags get one sentence', async () => {
    await assert.rejects(
      start(data, '--pictures', 'many').ended,
      /--pictures takes a whole number from 1 to 1000, not 'many'/,
    );
    await assert.rejects(start(data, '--port', '70000').ended, /--port takes a whole number from 0 to 65535/);
    await assert.rejects(start(data, '--from', 'test').ended, /the test part is sealed/);
    await assert.rejects(start().ended, /praxis quiz needs DATA, or a run/);
    await assert.rejects(start(data, '--run', 'a', '--split-file', 'b').ended, /both name a split/);
    await assert.rejects(start(path.join(data, 'nowhere')).ended, /nowhere/);
  });

  test('what the terminal says', () => {
    const answers = [
      { name: 'a.png', label: 0, answer: 1, seconds: 1 },
      { name: 'b.png', label: 1, answer: 1, seconds: 3 },
    ];
    const lines = resultLines(scoreQuiz(answers, { classes: 2 }), ['ash', 'beech']);
    assert.ok(lines.includes('  a.png: ash, you said beech'));
    assert.deepEqual(
      confusionLines(
        {
          confusion: [
            [0, 1],
            [0, 1],
          ],
        },
        ['ash', 'beech'],
      ),
      ['         ash  beech', 'ash        ·      1', 'beech      ·      1'],
    );
    assert.deepEqual(resultLines(scoreQuiz([], { classes: 2 }), ['ash', 'beech']), ['Nothing was answered.']);
    const [mac, windows, linux] = (['darwin', 'win32', 'linux'] as const).map((platform) =>
      openerOf(platform, 'http://x/&y'),
    );
    assert.deepEqual([mac?.command, windows?.command, linux?.command], ['open', 'rundll32', 'xdg-open']);
    for (const opener of [mac, windows, linux]) assert.equal(opener?.args.at(-1), 'http://x/&y');
  });
});
