import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as duplicates from '../../../src/data/duplicates/index.js';
import { DataError } from '../../../src/data/errors.js';
import { DataLoader } from '../../../src/data/loader/index.js';
import * as sources from '../../../src/data/sources/index.js';
import { tensorDataset } from '../../../src/data/sources/index.js';
import { PictureSamples } from '../../../src/data/sources/samples.js';
import { subset } from '../../../src/data/sources/subset.js';
import * as publicSplit from '../../../src/data/split/index.js';
import { checkSplit, kFold, loadSplit, type Split, saveSplit, splitDataset } from '../../../src/data/split/index.js';
import { openSeal } from '../../../src/data/split/seal.js';
import { secretsOf } from '../../../src/data/split/seal-events.js';
import type { Dataset, PictureDataset } from '../../../src/data/types.js';
import { torch } from '../../../src/torch/index.js';
import { textDataset } from './memory.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-seal-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const samples = Array.from({ length: 60 }, (_, i) => ({ labels: [i % 3], text: `t${i}`, group: `SECRET-group-${i}` }));
const made = (): Dataset => textDataset(samples, 3, { name: (index) => `SECRET-${index}-日本 ümlaut.txt` });

function pictures(): PictureDataset {
  return new PictureSamples(
    { name: 'made', root: '/made', length: 60, classes: ['a', 'b', 'c'] },
    {
      name: (index) => `SECRET-${index}-日本 ümlaut.txt`,
      labels: (index) => [index % 3],
      group: (index) => `SECRET-group-${index}`,
      location: (index) => ({ kind: 'file', path: `/made/SECRET-${index}-日本.jpg` }),
    },
  );
}

/** Everything a caller gets by reading properties and calling methods, with and without an index, a few levels deep. */
function everything(root: unknown, length: number): string[] {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'string') texts.push(value);
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > 6)
      return;
    seen.add(value);
    if (value instanceof torch.Tensor) return;
    for (
      let owner: object | null = value;
      owner && owner !== Object.prototype && owner !== Function.prototype;
      owner = Object.getPrototypeOf(owner)
    ) {
      for (const key of Reflect.ownKeys(owner)) {
        if (key === 'constructor') continue;
        let member: unknown;
        try {
          member = Reflect.get(owner, key, value);
        } catch (error) {
          texts.push(String(error));
          continue;
        }
        visit(member, depth + 1);
        if (typeof member !== 'function' || Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Map)
          continue;
        for (let index = -1; index <= length; index++) {
          try {
            visit(member.call(value, index), depth + 1);
          } catch (error) {
            texts.push(String(error));
          }
        }
      }
    }
  };
  visit(root, 0);
  texts.push(
    inspect(root, { depth: Infinity, showHidden: true, getters: true }),
    String(root),
    JSON.stringify(root) ?? '',
  );
  return texts;
}

function testSamples(split: Split): readonly number[] {
  return secretsOf(split).parts.test;
}

function assertHidden(texts: readonly string[], hidden: readonly number[], where: string): void {
  for (const index of hidden)
    for (const secret of [`SECRET-${index}-`, `SECRET-group-${index}`])
      for (const text of texts) {
        const at = text.indexOf(secret);
        if (at < 0) continue;
        assert.ok(
          /\d/.test(text[at + secret.length] ?? ''),
          `${where} gives away ${secret}: ${text.slice(Math.max(0, at - 80), at + 80)}`,
        );
      }
}

describe('the seal of the test part', () => {
  for (const [kind, make] of [
    ['texts', made],
    ['pictures', pictures],
  ] as const)
    it(`hides names, labels, groups and paths of ${kind} from every property, method and print`, async () => {
      const parent = make();
      // The search finds what is not sealed.
      assert.throws(() => assertHidden(everything(parent, 60), [7], 'unsealed'), /gives away/);
      const upper = subset(
        parent,
        Array.from({ length: 60 }, (_, i) => 59 - i),
      );
      const before = subset(upper, [...Array(60).keys()]);
      const sibling = subset(parent, [...Array(60).keys()]);
      const split = await splitDataset(before, { duplicates: false, groups: false, check: false });
      const at = (index: number): number => 59 - index;
      const hidden = testSamples(split).map(at);
      assert.equal(hidden.length, 9);
      for (const [where, root] of Object.entries({ split, parent, upper, before, sibling, test: split.test }))
        assertHidden(everything(root, 60), hidden, where);
      for (const index of hidden)
        for (const dataset of [parent, sibling]) {
          assert.throws(() => dataset.target(index), /sealed test part/);
          assert.throws(() => dataset.labels(index), DataError);
          assert.throws(() => dataset.sampleName(index), DataError);
          assert.throws(() => dataset.group?.(index), DataError);
          if (dataset.kind === 'pictures') assert.throws(() => dataset.location(index), DataError);
        }
      for (let i = 0; i < split.test.length; i++) {
        assert.throws(() => split.test.labels(i), DataError);
        assert.throws(() => subset(split.test, [i]).target(0), DataError);
      }
      for (const part of [split.train, split.validation, split.development])
        for (let i = 0; i < part.length; i++) assert.match(part.sampleName(i), /^SECRET-/);
      assert.equal(split.development.length, 51);
    });

  it('is not to be got round by splitting, folding, checking, loading or reading batches', async () => {
    const parent = made();
    const split = await splitDataset(parent);
    await assert.rejects(splitDataset(parent), /sealed test part, so it cannot be split again/);
    await assert.rejects(kFold(parent), /take split\.development/);
    await assert.rejects(splitDataset(split.test, { seed: 3 }), /sealed/);
    await assert.rejects(splitDataset(subset(parent, [...Array(60).keys()])), /sealed/);
    const all = [...Array(60).keys()];
    await assert.rejects(checkSplit(parent, { train: all, validation: [], test: [] }), /sealed/);
    assert.equal((await kFold(split.development, { folds: 3 })).length, 3);
    const file = path.join(folder, 'round.json');
    await saveSplit(split, file);
    const again = await loadSplit(file, parent);
    assertHidden(everything(again, 60), testSamples(split), 'loaded');
    assert.equal(again.fingerprint, split.fingerprint);

    const tensors = tensorDataset({ input: torch.zeros([30, 2]), target: Array.from({ length: 30 }, (_, i) => i % 2) });
    const ofTensors = await splitDataset(tensors);
    const read = async (dataset: Dataset): Promise<void> => {
      for await (const batch of new DataLoader({ dataset, batchSize: 2, workers: 0 })) assert.ok(batch.target);
    };
    await read(ofTensors.train);
    await assert.rejects(read(ofTensors.test), /sealed/);
    await assert.rejects(read(tensors), /sealed/);
  });

  it('has no key in what is exported', async () => {
    const whole = (await import('../../../src/index.js')) as object;
    const keys = [
      'openSeal',
      'readSealed',
      'contentsOf',
      'secretsOf',
      'keepSecrets',
      'nameOf',
      'locationOf',
      'openContents',
      'recordIn',
      'Split',
    ];
    for (const face of [publicSplit, sources, duplicates, whole])
      for (const key of keys) assert.ok(!Object.keys(face).includes(key), `${key} is exported`);
  });

  it('is opened once, and writes it down before the first label is handed out', async () => {
    const parent = made();
    const split = await splitDataset(parent);
    const file = path.join(folder, 'once.json');
    const copy = path.join(folder, 'copy.json');
    await assert.rejects(openSeal(split, { files: [], command: 'x' }), /save the split first/);
    await assert.rejects(openSeal(split, { files: [path.join(folder, 'none.json')], command: 'x' }), /no split file/);
    await saveSplit(split, file);
    await saveSplit(split, copy);
    assert.equal(`${split}`, 'made: 42 train, 9 validation, 9 test (sealed)');
    const now = () => new Date('2026-11-22T12:00:00Z');
    const opened = await openSeal(split, { files: [file, copy], command: 'praxis test runs/a', run: 'runs/a', now });
    assert.equal(opened.uses, 1);
    assert.deepEqual(
      Array.from({ length: 9 }, (_, i) => opened.dataset.sampleName(i)),
      testSamples(split).map((index) => `SECRET-${index}-日本 ümlaut.txt`),
    );
    assert.deepEqual(
      Array.from({ length: 9 }, (_, i) => opened.dataset.target(i)),
      testSamples(split).map((index) => index % 3),
    );
    await opened.record({ accuracy: 0.84 });
    await assert.rejects(opened.record({ accuracy: 0.99 }), /written down already/);
    // The parent stays sealed.
    assert.throws(() => parent.target(testSamples(split)[0] as number), /sealed/);
    const use = {
      number: 1,
      time: '2026-11-22T12:00:00.000Z',
      command: 'praxis test runs/a',
      run: 'runs/a',
      result: { accuracy: 0.84 },
    };
    assert.deepEqual(split.uses, [use]);
    for (const saved of [file, copy]) {
      const loaded = await loadSplit(saved, made());
      assert.deepEqual(loaded.uses, [use]);
      assert.match(`${loaded}`, /opened 1×/);
      await assert.rejects(
        openSeal(loaded, { files: [saved], command: 'x' }),
        /opened once already, last on 2026-11-22 by "praxis test runs\/a".*again: true/,
      );
      const second = await openSeal(loaded, { files: [saved], command: 'x', again: true });
      assert.equal(second.uses, 2);
      assert.equal((await loadSplit(saved, made())).uses.length, 2);
    }
    // Saving anew does not forget.
    const fresh = await splitDataset(made());
    await saveSplit(fresh, file);
    assert.equal(fresh.uses.length, 2);
    await assert.rejects(
      saveSplit(await splitDataset(made(), { seed: 9 }), file),
      /records 2 uses .* must not be lost/,
    );
  });

  it('is opened by one of two at the same moment', async () => {
    const file = path.join(folder, 'race.json');
    const split = await splitDataset(made());
    await saveSplit(split, file);
    const others = await Promise.all(Array.from({ length: 6 }, () => loadSplit(file, made())));
    const tries = await Promise.allSettled(others.map((other) => openSeal(other, { files: [file], command: 'x' })));
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await loadSplit(file, made())).uses.length, 1);
  });

  it('notices a file that was changed', async () => {
    const file = path.join(folder, 'changed.json');
    const split = await splitDataset(made());
    await saveSplit(split, file);
    await openSeal(split, { files: [file], command: 'x' });
    const text = readFileSync(file, 'utf8');
    const content = JSON.parse(text);
    const refused = async (changed: string, message: RegExp): Promise<void> => {
      writeFileSync(file, changed);
      await assert.rejects(
        loadSplit(file, made()),
        (error) => error instanceof DataError && message.test(error.message),
      );
      await assert.rejects(openSeal(split, { files: [file], command: 'x', again: true }), DataError);
    };
    await refused(JSON.stringify({ ...content, seal: [] }), /checksum is wrong/);
    await refused(text.replace('"seed": 0', '"seed": 1'), /checksum is wrong/);
    await refused(text.slice(0, 700), /no JSON/);
    await refused('', /no JSON/);
    await refused('[]', /not a split file/);
    await refused(JSON.stringify({ ...content, version: 2 }), /version 2/);
    const bytes = Buffer.from(text);
    for (let at = 50; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 1;
      if (JSON.stringify(tryParse(flipped.toString())) === JSON.stringify(content)) continue;
      await refused(flipped.toString(), /changed|no JSON|not a split|version/);
    }
    writeFileSync(file, text);
    assert.equal((await loadSplit(file, made())).uses.length, 1);
  });

  it('says which samples are gone or new, without naming those of the test part', async () => {
    const file = path.join(folder, 'names.json');
    const split = await splitDataset(made());
    await saveSplit(split, file);
    const gone = (index: number): Dataset => {
      const kept = [...Array(60).keys()].filter((i) => i !== index);
      return textDataset(
        kept.map((i) => samples[i] as (typeof samples)[number]),
        3,
        {
          name: (i) => `SECRET-${kept[i]}-日本 ümlaut.txt`,
        },
      );
    };
    const trained = secretsOf(split).parts.train[4] as number;
    const tested = testSamples(split)[2] as number;
    await assert.rejects(
      loadSplit(file, gone(trained)),
      new RegExp(`1 sample of it is gone \\(SECRET-${trained}-日本`),
    );
    await assert.rejects(loadSplit(file, gone(tested)), (error: Error) => {
      assert.match(error.message, /1 sample of its test part is gone/);
      return !error.message.includes('SECRET');
    });
    const relabelled = samples.map((sample, i) =>
      i === 5 ? { ...sample, labels: [(sample.labels[0] as number) ^ 1] } : sample,
    );
    const other = textDataset(relabelled, 3, { name: (index) => `SECRET-${index}-日本 ümlaut.txt` });
    await assert.rejects(loadSplit(file, other), /labels were changed/);
    await assert.rejects(loadSplit(path.join(folder, 'nothing.json'), made()), /there is no split file/);
  });
});

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
