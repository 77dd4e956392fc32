/** The recipe's first stage: what is the matter with the data is told before anything is trained, kept, and left out when asked. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSource } from '../../src/data/open-source.js';
import { saveSplit, splitDataset } from '../../src/data/split/index.js';
import { resume, type TrainEvent, type Training, testRun, train } from '../../src/train/index.js';
import { onlyRun, quick, temporaryFolder, tinyFlowers } from './runs.js';

const eventsOf = async (training: Training): Promise<TrainEvent[]> => {
  const events: TrainEvent[] = [];
  for await (const event of training) events.push(event);
  return events;
};

const findings = (events: readonly TrainEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'finding' ? [`${event.severity} ${event.text}`] : []));

const lookText = (events: readonly TrainEvent[]): string =>
  events.flatMap((event) => (event.kind === 'stage' && event.stage === 'look' ? [event.text] : [])).join();

interface Kept {
  look: {
    samples: number;
    sealed: number;
    findings: { kind: string; sealed: number; samples: { name: string }[] }[];
  };
}

const kept = (run: string): Kept => JSON.parse(fs.readFileSync(path.join(run, 'findings.json'), 'utf8')) as Kept;

describe('the look before a training', () => {
  const place = temporaryFolder();
  let data = '';
  let first = '';
  before(async () => {
    data = await tinyFlowers(place);
    const pictures = (name: string): string[] =>
      fs
        .readdirSync(path.join(data, name))
        .sort()
        .map((file) => path.join(data, name, file));
    const [one = '', two = ''] = fs
      .readdirSync(data)
      .filter((name) => fs.statSync(path.join(data, name)).isDirectory());
    first = pictures(one)[0] as string;
    // The same picture with two labels, the same twice, one that is empty, one that is cut off: one named wrongly: four kinds of finding.
    fs.copyFileSync(first, path.join(data, two, 'contradiction.jpg'));
    fs.copyFileSync(pictures(two)[3] as string, path.join(data, two, 'twice.jpg'));
    fs.writeFileSync(path.join(data, one, 'empty.jpg'), '');
    const bytes = fs.readFileSync(pictures(one)[5] as string);
    fs.writeFileSync(path.join(data, two, 'misnamed.png'), Buffer.concat([bytes, Buffer.from(' ')]));
    fs.writeFileSync(path.join(data, one, 'cut.jpg'), bytes.subarray(0, bytes.length >> 1));
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('tells the three most important findings, in one line each, before the split, and keeps all of them', async () => {
    const out = path.join(place, 'all');
    const events = await eventsOf(train({ ...quick, data, out, epochs: 1 }));
    assert.match(lookText(events), /^71 pictures, 3 classes of 2[2345] to 2[345]; all 32×32; /);
    const told = findings(events);
    assert.match(
      told[0] ?? '',
      /^error 1 picture is there more than once, with different labels: .*contradiction\.jpg/,
    );
    assert.match(told[1] ?? '', /^error 2 pictures cannot be read: .*(cut\.jpg|empty\.jpg)/);
    assert.match(told[2] ?? '', /^warning 1 picture is there more than once \(byte for byte\)/);
    assert.equal(told.length, 4);
    assert.match(told[3] ?? '', /^note 1 more; praxis look shows all/);
    for (const line of told) assert.ok(!line.includes('\n'));
    const kinds = events.map((event) => (event.kind === 'stage' ? event.stage : event.kind));
    assert.ok(
      kinds.indexOf('look') < kinds.indexOf('finding') && kinds.lastIndexOf('finding') < kinds.indexOf('split'),
    );

    // All of them are kept with the run, but no list names what is sealed by now.
    const run = onlyRun(out);
    const { look } = kept(run);
    assert.equal(look.samples, 71);
    const split = JSON.parse(fs.readFileSync(path.join(run, 'split.json'), 'utf8')) as { parts: { test: string[] } };
    const test = new Set(split.parts.test);
    for (const kind of ['conflicting-labels', 'unreadable', 'exact-duplicates'])
      assert.ok(
        look.findings.some((one) => one.kind === kind),
        kind,
      );
    for (const { samples } of look.findings) for (const { name } of samples) assert.ok(!test.has(name), name);
    const copies = look.findings.filter(({ kind }) => kind === 'conflicting-labels' || kind === 'exact-duplicates');
    for (const { samples, sealed } of copies) assert.equal(samples.length + sealed, 2);
  });

  it('honours an exclusion list, in the run, its resumption and its test, whatever list lies there later', async () => {
    const list = path.join(place, 'fix.jsonl');
    const names = ['contradiction.jpg', 'twice.jpg', 'empty.jpg', 'cut.jpg', 'misnamed.png'];
    const all = await openSource(data);
    const entries = Array.from({ length: all.length }, (_, index) => all.sampleName(index)).filter((name) =>
      names.includes(path.basename(name)),
    );
    fs.writeFileSync(list, entries.map((name) => `${JSON.stringify({ name, reason: 'planted' })}\n`).join(''));
    const out = path.join(place, 'excluded');
    const training = train({ ...quick, data, out, exclude: list, epochs: 3 });
    const events: TrainEvent[] = [];
    for await (const event of training) {
      events.push(event);
      if (event.kind === 'epoch' && event.epoch === 1) training.stop('enough');
    }
    assert.match(lookText(events), /^66 pictures, 3 classes of 22 each; all 32×32; 5 left out by fix\.jsonl; /);
    assert.deepEqual(
      findings(events).filter((line) => !line.startsWith('note')),
      [],
    );
    const run = onlyRun(out);
    assert.equal(kept(run).look.samples, 66);

    // Somebody takes the list away and lays another one beside the data: the run goes on with what it began with.
    fs.rmSync(list);
    const beside = path.join(data, 'praxis-exclude.jsonl');
    fs.writeFileSync(beside, `${JSON.stringify({ name: all.sampleName(1) })}\n`);
    try {
      assert.equal((await resume(run)).state, 'finished');
      assert.equal((await testRun(run)).uses, 1);
      // A new run takes the list that lies there, unless it is told not to.
      const beginning = async (options: object): Promise<string> => {
        const begun = train({ ...quick, data, out: path.join(place, 'beside'), ...options });
        let text = '';
        for await (const event of begun)
          if (event.kind === 'stage' && event.stage === 'look') {
            text = event.text;
            begun.stop('seen');
          }
        assert.equal((await begun).state, 'stopped');
        return text;
      };
      assert.match(await beginning({}), /^70 pictures, .*; 1 left out by praxis-exclude\.jsonl/);
      assert.match(await beginning({ exclude: 'off' }), /^71 pictures, /);
    } finally {
      fs.rmSync(beside);
    }
    const missing = train({ ...quick, data, out, exclude: path.join(place, 'nowhere.jsonl') });
    await assert.rejects(async () => await missing, /nowhere\.jsonl: no such file/);
  });

  it('does not look at the test part of a split that was made before', async () => {
    const dataset = await openSource(data);
    const split = await splitDataset(dataset, { seed: 3, duplicates: false });
    const file = path.join(place, 'split.json');
    await saveSplit(split, file);
    const out = path.join(place, 'given');
    const events = await eventsOf(train({ ...quick, data, out, splitFile: file, epochs: 1 }));
    const text = lookText(events);
    const [, open, sealed] = /^(\d+) pictures \((\d+) more are sealed\)/.exec(text) ?? [];
    assert.deepEqual([Number(open), Number(sealed)], [71 - split.test.length, split.test.length], text);
    const { look } = kept(onlyRun(out));
    assert.equal(look.sealed, split.test.length);
  });
});
