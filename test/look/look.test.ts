import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { openSource } from '../../src/data/open-source.js';
import { sealSamples } from '../../src/data/sources/sealing.js';
import type { PictureDataset } from '../../src/data/types.js';
import { exclusionsFrom, writeFixList } from '../../src/look/fix-list.js';
import {
  type LookEvent,
  type LookFinding,
  type LookKind,
  type LookReport,
  look,
  lookQuickly,
  sampleDetail,
} from '../../src/look/index.js';
import { bar, terminalSummary } from '../../src/look/terminal.js';
import { fingerprint, judge, plant, scene } from './planted.js';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'praxis-look-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const of = (report: LookReport, kind: LookKind): LookFinding | undefined =>
  report.findings.find((finding) => finding.kind === kind);

/** Writes a file below a new folder and opens it. */
async function opened(name: string, text: string) {
  const file = path.join(scratch, name);
  writeFileSync(file, text);
  return openSource(file);
}

describe('look at pictures', () => {
  it('finds at least 95 % of the planted faults, accuses at most 2 % of the sound pictures, and changes nothing', async () => {
    const planted = await plant(path.join(scratch, 'trees'), 240, 4);
    const before = fingerprint(planted.folder);
    const dataset = await openSource(planted.folder);
    const events: LookEvent[] = [];
    const report = await look(dataset, { onEvent: (event) => events.push(event) });
    const { found, falseAlarms, missed, accused } = judge(planted, report);
    assert.ok(found >= 0.95, `missed: ${missed.join(', ')}`);
    assert.ok(falseAlarms <= 0.02, `accused: ${accused.join(', ')}`);
    assert.equal(fingerprint(planted.folder), before, 'bytes, names and times of all files are as before');
    assert.equal(events[0]?.kind, 'counts', 'counts are told before any file is opened');
    // Errors come first, and every finding says what to do.
    const ranks = report.findings.map(({ severity }) => ['error', 'warning', 'note'].indexOf(severity));
    assert.deepEqual(ranks, [...ranks].sort());
    for (const { message, remedy, evidence } of report.findings) {
      assert.match(message, /^[^\n]+\.$/);
      assert.match(remedy, /^[^\n]+\.$/);
      assert.ok(Object.keys(evidence).length > 0);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report, 'a report is plain data');

    // The fix list, used: what was to be left out is gone, and found no more.
    const list = path.join(scratch, 'fix.jsonl');
    assert.deepEqual(await writeFixList(report, list), { all: 12 + 4 + 8 + 4 + 4, added: 32 });
    assert.deepEqual(await writeFixList(report, list), { all: 32, added: 0 }, 'writing it again adds nothing');
    const left = await openSource(planted.folder, { excludeFile: list });
    assert.equal(left.length, dataset.length - 32);
    const again = await look(left);
    for (const kind of ['unreadable', 'conflicting-labels', 'exact-duplicates', 'leak'] as const)
      assert.equal(of(again, kind), undefined, kind);
    assert.equal(exclusionsFrom(again).length, 0);
    assert.equal(of(again, 'blurry')?.samples.length, 4, 'what may be meant is kept');

    // The same list, laid beside the data, is honoured without a word; false ignores it.
    writeFileSync(path.join(planted.folder, 'praxis-exclude.jsonl'), readFileSync(list));
    assert.equal((await openSource(planted.folder)).length, left.length);
    assert.equal((await openSource(planted.folder, { excludeFile: false })).length, dataset.length);
  });

  it('does not look at sealed samples', async () => {
    const folder = path.join(scratch, 'sealed');
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(folder, name), { recursive: true });
      for (let i = 0; i < 4; i++)
        writeFileSync(
          path.join(folder, name, `${i}.jpg`),
          i === 3
            ? Buffer.alloc(0)
            : await sharp(await scene(i, 0), { raw: { width: 160, height: 120, channels: 3 } })
                .jpeg()
                .toBuffer(),
        );
    }
    const dataset = await openSource(folder);
    sealSamples(dataset, [3, 7]);
    const report = await look(dataset, { quick: true });
    assert.deepEqual([report.samples, report.sealed], [6, 2]);
    assert.equal(of(report, 'unreadable'), undefined);
    // The three scenes are the same in both classes.
    assert.equal(of(report, 'conflicting-labels')?.evidence.groups, 3);
    const quick = await lookQuickly(dataset, { most: 1 });
    assert.deepEqual([quick.findings, quick.more], [report.findings.slice(0, 1), report.findings.length - 1]);
    sealSamples(dataset, [0, 1, 2, 4, 5, 6]);
    await assert.rejects(look(dataset), { name: 'DataError', message: 'sealed has no samples that may be looked at' });
  });

  it('finds mirrored and turned copies when asked to, whichever way they lie, and no others', async () => {
    const folder = path.join(scratch, 'turned');
    for (const name of ['a', 'b']) mkdirSync(path.join(folder, name), { recursive: true });
    const raw = { raw: { width: 160, height: 120, channels: 3 as const } };
    for (let i = 0; i < 24; i++)
      writeFileSync(
        path.join(folder, 'a', `${i}.jpg`),
        await sharp(await scene(i, i), raw)
          .jpeg()
          .toBuffer(),
      );
    const ways = [(p: Sharp) => p.flop(), (p: Sharp) => p.flip()];
    const quarters = [90, 180, 270].flatMap((angle) => [
      (p: Sharp) => p.rotate(angle),
      // Mirrored first: sharp itself would turn first.
      async (p: Sharp) => sharp(await p.flop().png().toBuffer()).rotate(angle),
    ]);
    for (const [i, way] of [...ways, ...quarters].entries()) {
      const copy = await way(sharp(await scene(i, i), raw));
      writeFileSync(
        path.join(folder, i === 0 ? 'b' : 'a', `copy-${i}.jpg`),
        await copy.jpeg({ quality: 70 }).toBuffer(),
      );
    }
    const dataset = await openSource(folder);
    assert.equal(of(await look(dataset, { quick: true }), 'turned-duplicates'), undefined);
    const finding = of(await look(dataset, { quick: true, turned: true }), 'turned-duplicates');
    const pairs = finding?.samples.map(({ name }) => name.replace(/^.*\/(copy-)?/, '')) ?? [];
    assert.deepEqual(pairs, Array.from({ length: 8 }, (_, i) => [`${i}.jpg`, `${i}.jpg`]).flat());
    assert.equal(finding?.evidence.withOtherLabels, 1);
  });

  it('says when the class can be told from the size of the pictures', async () => {
    const folder = path.join(scratch, 'sizes');
    for (const [name, side] of [
      ['near', 40],
      ['far', 56],
    ] as const) {
      mkdirSync(path.join(folder, name), { recursive: true });
      for (let i = 0; i < 30; i++)
        await sharp(await scene(i + side, 1), { raw: { width: 160, height: 120, channels: 3 } })
          .resize(side, side, { fit: 'fill' })
          .png()
          .toFile(path.join(folder, name, `${i}.png`));
    }
    const report = await look(await openSource(folder), { quick: true });
    assert.match(of(report, 'shortcut')?.message ?? '', /told from the size of the picture alone: 100 % right/);
    assert.deepEqual(
      report.pictures?.sizes.map(({ width, count }) => [width, count]),
      [
        [40, 30],
        [56, 30],
      ],
    );
  });

  it('says when all pictures were enlarged, and from what; never of small ones, or of few', async () => {
    const lookAt = async (name: string, from: number, to: number, count: number) => {
      const folder = path.join(scratch, name);
      for (let i = 0; i < count; i++) {
        const place = path.join(folder, i % 2 === 0 ? 'this' : 'that');
        mkdirSync(place, { recursive: true });
        // Grain at the size that is taken from: as sharp as a picture can be.
        const grain = Buffer.from(await scene(i, i % 2));
        const small = await sharp(grain, { raw: { width: 160, height: 120, channels: 3 } })
          .resize(from, from, { fit: 'fill' })
          .raw()
          .toBuffer();
        await sharp(small, { raw: { width: from, height: from, channels: 3 } })
          .resize(to, to, { fit: 'fill' })
          .png()
          .toFile(path.join(place, `${i}.png`));
      }
      const source = await openSource(folder);
      const report = await look(source, { quick: true });
      const detail = report.pictures?.detail;
      // The probe of pretrained weights asks for it without looking at all else.
      assert.deepEqual(await sampleDetail(source as PictureDataset), detail);
      return { finding: of(report, 'enlarged'), detail };
    };
    const { finding, detail } = await lookAt('enlarged', 24, 96, 20);
    assert.equal(detail?.of, 96);
    assert.equal(detail?.pictures, 20);
    assert.ok((detail?.side ?? 0) >= 18 && (detail?.side ?? 0) <= 36, String(detail?.side));
    assert.match(finding?.message ?? '', /no more detail than about (\d+)×\1 pixels would, at 96 a side/);
    const whole = await lookAt('whole', 60, 60, 20);
    assert.equal(whole.finding, undefined);
    assert.ok((whole.detail?.share ?? 0) > 0.7, String(whole.detail?.share));
    assert.equal((await lookAt('small', 24, 40, 20)).detail, null);
    assert.equal((await lookAt('few', 24, 96, 6)).detail, null);
  });
});

describe('look at tables and texts', () => {
  it('finds missing values, constant and equal columns, leaks, row numbers and skew', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      const label = (i * 7) % 3 === 0 ? 'yes' : 'no';
      const odd = (i * 37) % 101;
      return [
        i + 1,
        odd,
        odd,
        'x',
        i % 4 === 0 ? '' : (i * 13) % 17,
        label === 'yes' ? 1 : 0,
        Math.exp(odd / 9).toFixed(3),
        label,
      ].join(',');
    });
    const report = await look(await opened('table.csv', ['row,a,copy,same,gaps,paid,large,label', ...rows].join('\n')));
    assert.equal(report.kind, 'table');
    assert.deepEqual(of(report, 'missing')?.evidence, { columns: { gaps: 50 } });
    assert.deepEqual(of(report, 'constant-column')?.evidence, { columns: ['same'] });
    assert.deepEqual(of(report, 'duplicate-column')?.evidence, { pairs: [['a', 'copy']] });
    assert.deepEqual(of(report, 'identifier')?.evidence.columns, ['row']);
    assert.match(
      of(report, 'label-leak')?.message ?? '',
      /^1 column gives the label away: paid alone is right in 100 %\.$/,
    );
    assert.deepEqual(Object.keys(of(report, 'skew')?.evidence.columns as object), ['large']);
    assert.equal(report.findings[0]?.kind, 'label-leak', 'what makes results wrong comes first');
  });

  it('finds nothing in a sound table', async () => {
    const rows = Array.from(
      { length: 150 },
      (_, i) => `${(i * 37) % 101},${(i * 53) % 97},${i % 2 === 0 ? 'up' : 'down'}`,
    );
    const report = await look(await opened('sound.csv', ['a,b,label', ...rows].join('\n')));
    assert.deepEqual(report.findings, []);
  });

  it('finds empty, equal and contradictory texts, odd lengths and words that give the class away', async () => {
    const texts = Array.from({ length: 60 }, (_, i) => ({
      text: `${i % 2 === 0 ? 'RE: offer' : 'hello'} number ${i} of many letters`,
      label: i % 2 === 0 ? 'spam' : 'ham',
    }));
    texts.push({ text: texts[1]?.text ?? '', label: 'ham' }, { text: texts[3]?.text ?? '', label: 'spam' });
    texts.push({ text: 'word '.repeat(500), label: 'ham' });
    const report = await look(await opened('mail.jsonl', texts.map((line) => JSON.stringify(line)).join('\n')));
    assert.equal(report.kind, 'text');
    assert.equal(of(report, 'exact-duplicates')?.evidence.copies, 1);
    assert.equal(of(report, 'conflicting-labels')?.evidence.groups, 1);
    assert.equal(of(report, 'odd-length')?.samples[0]?.note, '500 words');
    assert.match(of(report, 'label-leak')?.message ?? '', /'offer' is in .* of spam/);
    assert.equal(report.text?.words.median, 6);
  });

  it('says which classes are empty, rare and uneven', async () => {
    const rows = Array.from({ length: 66 }, (_, i) => `${(i * 37) % 101},${i < 6 ? 'few' : 'many'}`);
    const report = await look(await opened('uneven.csv', ['a,label', ...rows].join('\n')));
    assert.match(of(report, 'rare-classes')?.message ?? '', /few \(6\)/);
    assert.equal(of(report, 'imbalance')?.evidence.ratio, 10);
    assert.equal(of(report, 'imbalance')?.severity, 'warning');
    const one = await look(await opened('one.csv', 'a,label\n1,x\n2,x\n'));
    assert.equal(one.findings[0]?.kind, 'one-class');
  });
});

describe('terminal summary', () => {
  it('draws bars with eighths of a character', () => {
    assert.equal(bar(1, 4), '████');
    assert.equal(bar(0.5, 3), '█▌');
    assert.equal(bar(0.0001, 10), '▏', 'what is there is seen');
    assert.equal(bar(0, 10), '');
  });

  it('fits a screen, whatever was found', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => `${(i * 37) % 101},,x,class number ${i % 100}`);
    const report = await look(await opened('wide.csv', ['a,b,c,label', ...rows].join('\n')));
    for (const columns of [60, 100]) {
      const lines = terminalSummary(report, { columns });
      assert.ok(lines.length <= 44, `${lines.length} lines`);
      for (const line of lines) assert.ok([...line].length <= columns, line);
    }
    assert.ok(terminalSummary(report).some((line) => line === '… 91 more classes'));
  });
});
