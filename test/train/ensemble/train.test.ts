/** Members trained in one process: stopped and gone on with, on other data each, and taught to one. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tensorDataset, torch } from '../../../src/index.js';
import { readRecord } from '../../../src/track/index.js';
import {
  distil,
  loadRun,
  resume,
  resumeEnsemble,
  type TrainEvent,
  type TrainSettings,
  testRun,
  trainEnsemble,
} from '../../../src/train/index.js';
import { positionsOf } from '../../../src/train/recipe/part.js';
import { planOf } from '../../../src/train/recipe/record.js';
import { StopSignal } from '../../../src/train/stop.js';
import { noiseTable } from '../noise-table.js';
import { quick, temporaryFolder, tinyFlowers } from '../runs.js';

const place = temporaryFolder();
const settings = {
  ...quick,
  out: path.join(place, 'runs'),
  cache: false,
  split: [0.5, 0.35, 0.15],
} satisfies TrainSettings;
let data = '';
before(async () => {
  data = await tinyFlowers(place);
});
after(() => fs.rmSync(place, { recursive: true, force: true }));

const studentOf = (folder: string) => JSON.parse(fs.readFileSync(path.join(folder, 'student.json'), 'utf8'));
const opinions = (folder: string) => fs.readFileSync(path.join(folder, 'validation.jsonl'), 'utf8');

describe('positionsOf', () => {
  const target = Array.from({ length: 100 }, (_, i) => (i < 20 ? 0 : 1));
  const dataset = tensorDataset({ input: torch.zeros([100, 2]), target });
  it('takes the same share of each class, and smaller shares lie within larger ones', () => {
    const half = positionsOf(dataset, { share: 0.5, seed: 1 });
    assert.equal(half.length, 50);
    assert.equal(half.filter((i) => i < 20).length, 10);
    const tenth = positionsOf(dataset, { share: 0.1, seed: 1 });
    assert.ok(tenth.every((i) => half.includes(i)));
    assert.notDeepEqual(positionsOf(dataset, { share: 0.5, seed: 2 }), half);
    assert.equal(positionsOf(dataset, { share: 0.001, seed: 1 }).length, 2, 'one of each class at least');
  });
  it('with replacement draws as many, some of them again', () => {
    const drawn = positionsOf(dataset, { share: 1, seed: 1, replacement: true });
    assert.equal(drawn.length, 100);
    const distinct = new Set(drawn).size;
    assert.ok(distinct > 50 && distinct < 75, `${distinct} different ones, 63 expected`);
  });
});

describe('trainEnsemble', () => {
  it('stopped within a member and gone on with ends as one that was not; then one network learns from all', async () => {
    const whole = await trainEnsemble({ data, members: 2, settings: { ...settings, name: 'whole' } });
    assert.equal(whole.state, 'finished');
    const stop = new StopSignal();
    let steps = 0;
    const emit = (event: { kind: string }): void => {
      if (event.kind === 'step' && ++steps === 5) stop.request('enough');
    };
    const parts = await trainEnsemble({ data, members: 2, settings: { ...settings, name: 'parts' }, stop, emit });
    assert.equal(parts.state, 'stopped');
    assert.equal(readRecord(parts.folder).state, 'stopped');
    await assert.rejects(distil(parts.folder), /holds no finished ensemble/);
    const gone = await resumeEnsemble({ folder: parts.folder });
    assert.equal(gone.state, 'finished');
    assert.equal(opinions(parts.folder), opinions(whole.folder));
    assert.deepEqual(gone.ensemble?.comparison.overMean, whole.ensemble?.comparison.overMean);
    assert.deepEqual(
      fs.readFileSync(path.join(parts.folder, 'model.safetensors')),
      fs.readFileSync(path.join(whole.folder, 'model.safetensors')),
    );
    const members = fs.readdirSync(path.join(whole.folder, 'members')).sort();
    assert.deepEqual(
      members.map((name) => name.slice(11)),
      ['member-1', 'member-2'],
    );
    const first = path.join(whole.folder, 'members', members[0] as string);
    assert.ok(!fs.existsSync(path.join(first, 'checkpoints')), 'finished members leave no checkpoints');
    assert.equal((await loadRun(whole.folder)).classes.length, 3);

    const student = await distil(whole.folder, { settings: { epochs: 3 } });
    assert.equal(student.state, 'finished');
    assert.equal(planOf(student.folder).optimisation.epochs, 3);
    assert.equal(student.student?.meanScore, whole.ensemble?.comparison.meanScore);
    assert.ok(Number.isFinite(student.student?.gain.interval.low));
    // The ensemble is not tested yet: there is nothing to compare a student's test with.
    const early = await testRun(student.folder);
    assert.equal(early.student, undefined);
    const tested = await testRun(whole.folder);
    const beside = (await testRun(student.folder, { again: true })).student;
    assert.equal(beside?.meanScore, tested.members?.meanScore);
    assert.equal(beside?.ensembleScore, tested.score);
    assert.equal(beside?.kept === null, tested.score <= (tested.members?.meanScore as number));
    const chance = tested.calibrationByChance as number;
    assert.ok(chance > 0 && chance < 0.5, `${chance}`);
    // Damage to the teacher's record costs the student's test nothing.
    fs.writeFileSync(path.join(whole.folder, 'test-1.json'), '{');
    const alone = await testRun(student.folder, { again: true });
    assert.equal(alone.student, undefined);
    assert.equal(alone.score, early.score);
    fs.writeFileSync(path.join(whole.folder, 'test-1.json'), JSON.stringify(tested));
    // Other views are another question.
    assert.equal((await testRun(student.folder, { again: true, tta: true })).student, undefined);
    // Stopped and gone on with, it is the same student, told in the same words; stopped before it had a plan, it is none.
    const halt = new StopSignal();
    const halted = await distil(whole.folder, {
      settings: { epochs: 3, name: 'halted' },
      stop: halt,
      emit: (event) => event.kind === 'step' && halt.request('enough'),
    });
    assert.deepEqual([halted.state, halted.student], ['stopped', undefined]);
    await resume(halted.folder);
    assert.deepEqual(studentOf(halted.folder), studentOf(student.folder));
    const sooner = new StopSignal();
    const ends: TrainEvent[] = [];
    await distil(whole.folder, {
      settings: { epochs: 3, name: 'none' },
      stop: sooner,
      emit: (event) => {
        if (event.kind === 'stage' && event.stage === 'model') sooner.request('enough');
        if (event.kind === 'finished') ends.push(event);
      },
    });
    assert.deepEqual(
      ends.map((event) => event.kind === 'finished' && [event.state, event.resumable]),
      [['stopped', false]],
    );
    // Its targets were the teacher's: labels alone would have given other weights.
    const again = await distil(whole.folder, { settings: { epochs: 3, name: 'labels' }, weight: 0 });
    assert.notEqual(opinions(again.folder), opinions(student.folder));
    const { epochs } = planOf(first).optimisation;
    const patient = await distil(whole.folder, { settings: { name: 'patient' } });
    assert.equal(planOf(patient.folder).optimisation.epochs, 2 * epochs);
    await assert.rejects(async () => await resume(student.folder), /is finished/);
  });

  it('--bootstrap gives each member other samples, and their mean still knows how each saw its pictures', async () => {
    const made = await trainEnsemble({
      data,
      members: 2,
      bootstrap: true,
      settings: { ...settings, name: 'bootstrap' },
    });
    const plan = planOf(made.folder);
    const [, second] = plan.ensemble?.members ?? [];
    assert.notDeepEqual(second?.statistics, undefined);
    const members = fs
      .readdirSync(path.join(made.folder, 'members'))
      .map((name) => path.join(made.folder, 'members', name));
    assert.deepEqual(
      members.map((folder) => planOf(folder).data.part),
      [
        { share: 1, seed: 0, replacement: true },
        { share: 1, seed: 1, replacement: true },
      ],
    );
    const kinds = fs.readdirSync(data).filter((name) => fs.statSync(path.join(data, name)).isDirectory());
    const kind = path.join(data, kinds[0] as string);
    const file = path.join(kind, fs.readdirSync(kind)[0] as string);
    const said: number[][] = [];
    for (const folder of [...members, made.folder]) {
      const prediction = await (await loadRun(folder)).predict(file, { top: 3 });
      const own = new Map(prediction?.guesses.map(({ label, probability }) => [label, probability]));
      said.push([...own.keys()].sort().map((label) => own.get(label) as number));
    }
    const temperature = plan.ensemble?.temperature ?? 1;
    const mean = (said[0] as number[]).map((p, i) => ((p + (said[1]?.[i] as number)) / 2) ** (1 / temperature));
    const sum = mean.reduce((a, b) => a + b, 0);
    for (const [i, p] of (said[2] as number[]).entries()) assert.ok(Math.abs(p - (mean[i] as number) / sum) < 1e-4);
  });

  it('--bootstrap and --subsets of a table: other rows each, normalised alike, so that one row can be given to all', async () => {
    const table = noiseTable(place, { rows: 150, useless: 2 });
    const { size: _, ...rest } = settings;
    const rows = { ...rest, model: 'mlp', width: 8 } as const;
    for (const way of [{ bootstrap: true }, { subsets: 0.6 }]) {
      const made = await trainEnsemble({ data: table, members: 2, ...way, settings: { ...rows, name: 'table' } });
      assert.equal(made.state, 'finished');
      const inside = path.join(made.folder, 'members');
      const members = fs.readdirSync(inside).map((name) => path.join(inside, name));
      const [first, second] = members.map((folder) => planOf(folder).data.part);
      assert.notDeepEqual(first, second);
      const row = { x0: 1, x1: 0, x2: 0, x3: 0 };
      const said = await Promise.all(
        [...members, made.folder].map(async (folder) => {
          const { guesses } = await (await loadRun(folder)).predict(row, { top: 3 });
          return ['c0', 'c1', 'c2'].map((name) => guesses.find(({ label }) => label === name)?.probability as number);
        }),
      );
      const temperature = planOf(made.folder).ensemble?.temperature ?? 1;
      const mean = (said[0] as number[]).map((p, i) => ((p + (said[1]?.[i] as number)) / 2) ** (1 / temperature));
      const sum = mean.reduce((a, b) => a + b, 0);
      for (const [i, p] of (said[2] as number[]).entries()) assert.ok(Math.abs(p - (mean[i] as number) / sum) < 1e-4);
    }
  });
});
