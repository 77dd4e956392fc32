/** `praxis train` and what follows it, as typed: each in a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/torch/engine.js';
import { readRecord } from '../../src/track/index.js';
import { onlyRun, temporaryFolder, tinyFlowers } from '../train/runs.js';

const settings =
  '--size 16 --model convnet --width 4 --depth 1 --batch-size 16 --learning-rate 0.01 --precision float32 --memory-format contiguous --threads 1 --workers 1 --device cpu'.split(
    ' ',
  );

describe('praxis train', () => {
  const place = temporaryFolder();
  const home = path.join(place, 'home');
  const program = path.join(place, 'praxis.mjs');
  let data = '';
  before(async () => {
    data = await tinyFlowers(place);
    fs.mkdirSync(home);
    // Threads of a program that runs from source look for tsx from here.
    fs.symlinkSync(path.join(packageRoot, 'node_modules'), path.join(home, 'node_modules'));
    fs.writeFileSync(
      program,
      `import { main } from ${JSON.stringify(pathToFileURL(path.join(packageRoot, 'src', 'cli', 'main.ts')).href)};\nprocess.exitCode = await main(process.argv.slice(2));\n`,
    );
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  interface Act {
    /** Looks at what was printed so far, whenever something is. */
    readonly watch?: (stdout: string, child: ReturnType<typeof spawn>) => void;
  }

  async function praxis(args: readonly string[], { watch }: Act = {}) {
    const loader = import.meta.resolve('tsx');
    const child = spawn(process.execPath, ['--import', loader, program, ...args], {
      cwd: home,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_TEST_CONTEXT: undefined,
        PRAXIS_CACHE_DIR: path.join(place, 'cache'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      watch?.(stdout, child);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
  }

  const everything = (): string[] => fs.readdirSync(place, { recursive: true }).map(String).sort();

  it('--dry-run says what would be done and writes nothing at all', async () => {
    const picture = path.join(data, 'daisy', fs.readdirSync(path.join(data, 'daisy'))[0] as string);
    const copy = path.join(data, 'daisy', 'copy.jpg');
    fs.copyFileSync(picture, copy);
    const listing = everything();
    const { code, stdout, stderr } = await praxis(['train', data, '--dry-run', ...settings]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^look {10}67 pictures.*\n {2}▲ 1 picture is there more than once .*copy\.jpg.*\nsplit /m);
    for (const word of ['look', 'split', 'model', 'memory', 'time', 'train', 'parameters', 's per epoch'])
      assert.ok(stdout.includes(word), word);
    assert.deepEqual(everything(), listing);
    fs.rmSync(copy);
  });

  it('trains with the file of settings in this folder; flags go before it; then test, predict and runs', async () => {
    fs.writeFileSync(
      path.join(home, 'praxis.config.ts'),
      "import { defineConfig } from 'praxis';\nexport default defineConfig({ epochs: 50, patience: 7, out: 'results', nearDuplicates: false });\n",
    );
    const trained = await praxis(['train', data, '--epochs', '2', ...settings]);
    fs.rmSync(path.join(home, 'praxis.config.ts'));
    assert.equal(trained.code, 0, trained.stderr);
    assert.match(trained.stdout, /^settings {6}.*praxis\.config\.ts$/m);
    for (const stage of [
      'look',
      'split',
      'normalise',
      'model',
      'initialise',
      'tune',
      'learning rate',
      'train',
      'select',
      'report',
    ])
      assert.match(trained.stdout, new RegExp(`^${stage} `, 'm'));
    assert.match(trained.stdout, /^ {2}epoch 2\/2 /m);
    const run = onlyRun(path.join(home, 'results'));
    assert.match(trained.stdout, /^page {10}results\/.*\/report\.html: open it in a browser/m);
    assert.ok(fs.statSync(path.join(run, 'report.html')).size > 50_000);
    const record = readRecord(run);
    assert.equal((record.configuration.plan as { optimisation: { patience: number } }).optimisation.patience, 7);
    assert.ok(record.sessions[0]?.command.includes('--epochs 2'));

    const first = await praxis(['test', run]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^accuracy .* % \(95 %: .* to .*\) of \d+ test pictures$/m);
    assert.match(fs.readFileSync(path.join(run, 'report.html'), 'utf8'), /The test part was opened: [\d.]+ % of/);
    const second = await praxis(['test', run]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^✘ .*--again.*\n$/);
    const picture = path.join(data, 'daisy', fs.readdirSync(path.join(data, 'daisy'))[0] as string);
    const broken = path.join(place, 'broken.jpg');
    fs.writeFileSync(broken, 'no picture');
    const guessed = await praxis(['predict', run, picture, broken, '--top', '2']);
    fs.rmSync(broken);
    const alone = await praxis(['predict', run, picture, '--json']);
    assert.equal(alone.stdout.trim().split('\n').length, 1);
    assert.match(
      alone.stderr,
      /^[\d.]+ ms for one picture by itself \(median of \d+ more, .*\); the first took [\d.]+ m?s, loading the run [\d.]+ m?s\.\n$/,
    );
    assert.equal(guessed.code, 1, 'one of the two could not be read');
    assert.match(guessed.stdout, /daisy-0001\.jpg {2}\S+ [\d.]+ % {2}\S+ [\d.]+ %\n$/);
    assert.match(guessed.stderr, /^✘ .*broken\.jpg.*\n1 of 2 pictures could not be read\.\n$/);
    const measured = await praxis(['eval', run, data]);
    assert.equal(measured.code, 0, measured.stderr);
    assert.match(measured.stdout, /^accuracy .* % \(95 %: .* to .*\) of \d+ pictures$/m);
    assert.match(measured.stdout, /^! \d+ pictures are in its sealed test part \(left out\): praxis test/m);
    const exported = await praxis(['export', run]);
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stdout, /^\S+-convnet\.onnx {2}[\d.]+ MB\n$/);
    const twice = await praxis(['export', run]);
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /^✘ .*is there already; .*--force\.\n$/);
    const listed = await praxis(['runs', path.join(home, 'results')]);
    assert.match(listed.stdout, /finished/);
  });

  it('Ctrl-C once: finishes the step, saves, says how to go on, and it does', async () => {
    let sent = false;
    const out = path.join(home, 'interrupted');
    const stopped = await praxis(['train', data, '--out', out, '--epochs', '500', ...settings], {
      watch: (stdout, child) => {
        if (!sent && /epoch +2\/500/.test(stdout)) {
          sent = true;
          child.kill('SIGINT');
        }
      },
    });
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(stopped.stdout, /^Ctrl-C: finishing this step and saving; once more to leave at once\.$/m);
    const [, folder] = /^ {2}go on with: praxis resume (.*)$/m.exec(stopped.stdout) ?? [];
    assert.equal(folder, onlyRun(out));
    assert.equal(readRecord(onlyRun(out)).state, 'stopped');

    // Going on, and this time leaving at once.
    let signals = 0;
    const left = await praxis(['resume', onlyRun(out)], {
      watch: (stdout, child) => {
        if (signals === 0 && /^ {2}epoch/m.test(stdout)) {
          signals = 1;
          child.kill('SIGTERM');
          child.kill('SIGTERM');
        }
      },
    });
    assert.equal(left.code, 143, left.stderr);
    const again = await praxis(['resume', onlyRun(out)], {
      watch: (stdout, child) => {
        if (signals === 1 && /^ {2}epoch/m.test(stdout)) {
          signals = 2;
          child.kill('SIGTERM');
        }
      },
    });
    assert.equal(again.code, 143, again.stderr);
    assert.match(again.stdout, /going on after step \d+ of/);
    assert.equal(readRecord(onlyRun(out)).state, 'stopped');
  });

  it('a reader that goes away does not end the run', async () => {
    const out = path.join(home, 'piped');
    const { code, stderr } = await praxis(['train', data, '--out', out, '--epochs', '2', ...settings], {
      watch: (_, child) => child.stdout?.destroy(),
    });
    assert.equal(stderr, '');
    assert.equal(code, 0);
    assert.equal(readRecord(onlyRun(out)).state, 'finished');
  });

  it('help names every setting; what cannot be is told in a sentence, with the nearest right one', async () => {
    const help = await praxis(['train', '--help']);
    assert.equal(help.code, 0);
    for (const flag of [
      '--epochs <integer>',
      '--learning-rate <number>',
      '--dry-run',
      '--label-smoothing',
      '--no-cache',
    ])
      assert.ok(help.stdout.includes(flag), flag);
    const cases: [string[], number, RegExp][] = [
      [['train', data, '--epoch', '3'], 2, /--epochs/],
      [['train', data, '--optimizer', 'adamq'], 2, /--optimizer must be .*did you mean 'adam/],
      [['train', data, '--model', 'resnet-smal'], 1, /resnet-small/],
      [['train', path.join(place, 'nowhere')], 1, /nowhere: no such file or folder/],
      [['resume', path.join(place, 'nowhere')], 1, /There is no run .*nowhere/],
      [['test', data], 1, /is not a run folder/],
    ];
    for (const [args, expected, sentence] of cases) {
      const { code, stderr } = await praxis(args);
      assert.match(stderr, sentence);
      assert.equal(code, expected, stderr);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
  });
});
