/** Checkpoints: going on is bit-equal, and no kill, full disk or flipped byte leaves a run without a good one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sampleRandom } from '../../src/data/random.js';
import * as nn from '../../src/nn/index.js';
import { AdamW } from '../../src/optim/index.js';
import { torch } from '../../src/torch/index.js';
import {
  CheckpointError,
  CheckpointKeeper,
  type CheckpointState,
  loadCheckpoint,
  loadLast,
  readCheckpointInfo,
  saveCheckpoint,
} from '../../src/train/checkpoint.js';
import { killWhileSaving, train } from './checkpoint-kills.js';

let folder: string;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-checkpoints-'));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const inner = (...names: string[]) => path.join(folder, ...names);

const state = (step: number, more: Partial<CheckpointState> = {}): CheckpointState => ({
  step,
  epoch: 0,
  model: { weight: torch.full([8, 4], step), 'a.b': torch.arange(3, { dtype: 'int64' }) },
  ...more,
});

describe('a checkpoint', () => {
  test('holds everything, exactly, in one file', async () => {
    const net = new nn.Linear(4, 2);
    const optimizer = new AdamW(net.parameters(), { lr: 0.1 });
    net
      .call(torch.ones([1, 4]))
      .sum()
      .backward();
    optimizer.step();
    const loader = { epoch: 2, step: 7, seed: 2 ** 40, batchSize: 16, dataset: 'abc' };
    const given: CheckpointState = {
      step: 12,
      epoch: 2,
      model: {
        ...net.stateDict(),
        half: torch.randn([3]).bfloat16(),
        scalar: torch.tensor(5),
        none: torch.zeros([0, 3]),
      },
      optimizer: optimizer.state(),
      random: { cpu: torch.getRngState() },
      loader,
      score: 0.5,
      metrics: { best: Number.NaN, worst: Number.NEGATIVE_INFINITY, zero: -0, tenth: 0.1 },
      extra: { big: 2n ** 70n, text: 'ü' },
      tensors: { 'x.y': torch.eye(2) },
    };
    const file = inner('one.safetensors');
    await saveCheckpoint(file, given);
    const back = await loadCheckpoint(file);
    const plain = ({ model: _m, random: _r, tensors: _t, optimizer: o, ...rest }: CheckpointState) => ({
      ...rest,
      o: { ...o, tensors: 0 },
    });
    assert.deepEqual(plain(back), plain(given));
    assert.ok(Object.is((back.metrics as { zero: number }).zero, -0));
    for (const group of ['model', 'random', 'tensors'] as const) {
      assert.deepEqual(Object.keys(back[group] ?? {}), Object.keys(given[group] ?? {}));
      for (const [name, tensor] of Object.entries(given[group] ?? {})) {
        const other = back[group]?.[name];
        assert.ok(other && torch.equal(tensor.detach(), other) && tensor.dtype === other.dtype, name);
      }
    }
    assert.deepEqual(Object.keys(back.optimizer?.tensors ?? {}), Object.keys(given.optimizer?.tensors ?? {}));
    const { step, score } = await readCheckpointInfo(file);
    assert.deepEqual([step, score], [12, 0.5]);
    // Other programs read the tensors.
    assert.ok('model.weight' in (await torch.load<object>(file)));
  });

  test('what was saved is what the tensors held', async () => {
    const weight = torch.ones([2 ** 21]);
    const saving = saveCheckpoint(inner('moment.safetensors'), { step: 1, epoch: 0, model: { weight } });
    weight.zero_();
    await saving;
    assert.equal((await loadCheckpoint(inner('moment.safetensors'))).model.weight?.sum().item(), 2 ** 21);
  });

  test('going on in a fresh process is bit-equal, with dropout, norms and a moving average', () => {
    const whole = train(inner('whole'), 0, 9);
    assert.match(whole, /^[0-9a-f]{64}$/);
    train(inner('parts'), 0, 4);
    train(inner('parts'), 4, 6);
    assert.equal(train(inner('parts'), 6, 9), whole);
  });

  test('NaN is refused where asked', async () => {
    const bad = state(1, { model: { good: torch.ones([2]), bad: torch.tensor([1, Number.NaN]) } });
    await assert.rejects(
      saveCheckpoint(inner('nan'), bad, { checkFinite: true }),
      /model\.bad holds NaN or infinity at step 1\.$/,
    );
    await saveCheckpoint(inner('nan.safetensors'), bad);
    await loadCheckpoint(inner('nan.safetensors'));
    await assert.rejects(
      loadCheckpoint(inner('nan.safetensors'), { checkFinite: true }),
      /the tensor model\.bad holds NaN or infinity\.$/,
    );
    // A sum that overflows is not an element that does.
    await saveCheckpoint(inner('nan.safetensors'), state(1, { model: { large: torch.full([4], 3e38) } }), {
      checkFinite: true,
    });
  });

  test('damage of any kind is one sentence', async () => {
    const file = inner('damaged.safetensors');
    await saveCheckpoint(file, state(3, { metrics: { list: [1, 2, 3] } }));
    const whole = fs.readFileSync(file);
    const draws = sampleRandom(1, 0, 0, 20);
    const refused = async (bytes: Buffer, what: string) => {
      fs.writeFileSync(file, bytes);
      await assert.rejects(loadCheckpoint(file), (error: Error) => {
        assert.ok(error instanceof CheckpointError, `${what}: ${error.stack}`);
        assert.ok(
          error.message.startsWith(`${file} is not a usable checkpoint: `) && !error.message.includes('\n'),
          error.message,
        );
        return true;
      });
    };
    for (let i = 0; i < 20; i++)
      await refused(whole.subarray(0, Math.floor((whole.length * i) / 20)), `cut at ${i}/20`);
    for (let i = 0; i < 200; i++) {
      const flipped = Buffer.from(whole);
      const at = draws.integer(flipped.length);
      flipped[at] = (flipped[at] as number) ^ (1 << draws.integer(8));
      // Spaces fill the header up; a space that became another kind of space says the same.
      fs.writeFileSync(file, flipped);
      const loaded = await loadCheckpoint(file).catch((error: Error) => error);
      if (!(loaded instanceof Error)) {
        assert.ok(whole[at] === 32 || loaded.step === 3, `byte ${at}`);
        assert.ok(torch.equal(loaded.model.weight as never, torch.full([8, 4], 3)), `byte ${at}`);
        assert.deepEqual(loaded.metrics, { list: [1, 2, 3] });
      } else assert.ok(loaded instanceof CheckpointError, `byte ${at}: ${loaded.stack}`);
    }
    await torch.save({ weight: torch.ones([2]) }, file);
    await assert.rejects(loadCheckpoint(file), /it holds tensors only, not the state of a run\.$/);
    await assert.rejects(
      loadCheckpoint(inner('none.safetensors')),
      /^CheckpointError: There is no checkpoint .*none\.safetensors\.$/,
    );
  });
});

describe('CheckpointKeeper', () => {
  test('keeps the last, the one before, and the best', async () => {
    const place = inner('kept');
    const keeper = new CheckpointKeeper(place, { best: 2 });
    const ranks: (number | undefined)[] = [];
    for (const [i, score] of [0.5, undefined, 0.7, 0.5, Number.NaN, 0.9, 0.1].entries())
      ranks.push((await keeper.save(state(i + 1, score === undefined ? {} : { score }))).rank);
    assert.deepEqual(ranks, [1, undefined, 1, undefined, undefined, 1, undefined]);
    assert.deepEqual(fs.readdirSync(place).sort(), [
      'best-00000003.safetensors',
      'best-00000006.safetensors',
      'last.safetensors',
      'previous.safetensors',
    ]);
    assert.deepEqual(
      (await keeper.best()).map((info) => [info.step, info.score]),
      [
        [6, 0.9],
        [3, 0.7],
      ],
    );
    assert.deepEqual(
      [(await loadLast(place)).state.step, (await loadCheckpoint(path.join(place, 'previous.safetensors'))).step],
      [7, 6],
    );
    // The best is another name of what was the last, not a second copy.
    assert.equal(
      fs.statSync(path.join(place, 'best-00000006.safetensors')).ino,
      fs.statSync(path.join(place, 'previous.safetensors')).ino,
    );
    await keeper.truncateAfter(5);
    assert.deepEqual(
      (await keeper.best()).map((info) => info.step),
      [3],
    );
    const low = new CheckpointKeeper(inner('low'), { best: 1, mode: 'min' });
    for (const [i, score] of [3, 1, 2].entries()) await low.save(state(i, { score }));
    assert.deepEqual(
      (await low.best()).map((info) => info.score),
      [1],
    );
  });

  test('saves that overlap end in order', async () => {
    const keeper = new CheckpointKeeper(inner('overlap'));
    await Promise.all([1, 2, 3, 4].map((step) => keeper.save(state(step))));
    assert.equal((await loadLast(inner('overlap'))).state.step, 4);
  });

  test('a save that fails while another is being put in place fails for whoever waits for it, and nobody else', async (context) => {
    const keeper = new CheckpointKeeper(inner('fails'), { checkFinite: true });
    const unheard = context.mock.fn();
    process.on('unhandledRejection', unheard);
    try {
      // The first is still being written when the second is refused.
      const large = { ...state(1), model: { weight: torch.zeros([4_000_000]) } };
      const bad = { ...state(2), model: { weight: torch.tensor([Number.NaN]) } };
      const ends = await Promise.allSettled([keeper.save(large), keeper.save(bad)]);
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
      await new Promise(setImmediate);
    } finally {
      process.off('unhandledRejection', unheard);
    }
    assert.equal(unheard.mock.callCount(), 0);
    assert.equal((await loadLast(inner('fails'))).state.step, 1);
  });

  test('a damaged last falls back to the one before, and says so', async () => {
    const place = inner('fallback');
    const keeper = new CheckpointKeeper(place);
    for (const step of [1, 2]) await keeper.save(state(step, { score: step }));
    fs.truncateSync(keeper.last, 100);
    // The best of step 2 is the same file.
    const { state: found, refused, file } = await loadLast(place);
    assert.deepEqual([found.step, path.basename(file), refused.length], [1, 'previous.safetensors', 1]);
    assert.match(refused[0] as string, /last\.safetensors is not a usable checkpoint: it is cut short/);
    fs.truncateSync(path.join(place, 'previous.safetensors'), 0);
    await assert.rejects(loadLast(place), /holds no usable checkpoint: .*last.*previous.*best-00000002.*best-00000001/);
    await assert.rejects(
      loadLast(inner('nothing')),
      /holds no checkpoint: the run ended before its first; begin it again\.$/,
    );
  });

  test('a full disk leaves the last good one', async (context) => {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-disk-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3000k', 'praxis-test', place]).status !== 0) {
      fs.rmdirSync(place);
      context.skip('no file system can be mounted here');
      return;
    }
    try {
      const keeper = new CheckpointKeeper(path.join(place, 'checkpoints'));
      const large = (step: number) => state(step, { model: { weight: torch.full([300_000], step) } });
      await keeper.save(large(1));
      await keeper.save(large(2));
      await assert.rejects(keeper.save(large(3)), (error: Error) => {
        assert.match(
          error.message,
          /last\.safetensors cannot be written: the disk that holds .*checkpoints is full; free some space; what was there before is untouched\.$/,
        );
        return error instanceof CheckpointError;
      });
      assert.equal((await loadLast(keeper.folder)).state.step, 2);
      assert.deepEqual(fs.readdirSync(keeper.folder).sort(), ['last.safetensors', 'previous.safetensors']);
      spawnSync('mount', ['-o', 'remount,ro', place]);
      await assert.rejects(keeper.save(state(4)), /read-only; use another folder/);
      assert.equal((await loadLast(keeper.folder)).state.step, 2);
    } finally {
      // Mapped files keep it busy until their tensors are collected.
      spawnSync('umount', ['-l', place]);
      fs.rmdirSync(place);
    }
  });

  // test/real does it twenty times.
  test('SIGKILL while saving: a good last each time, and the end is bit-equal', () =>
    killWhileSaving(inner('killed'), 4));
});
