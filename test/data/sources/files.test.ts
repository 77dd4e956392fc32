import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { manifest, openDataset, subset, table, tensorDataset, textLines } from '../../../src/data/sources/index.js';
import type { Dataset } from '../../../src/data/types.js';
import { torch } from '../../../src/torch/index.js';

const base = mkdtempSync(path.join(tmpdir(), 'praxis-files-'));
after(() => rmSync(base, { recursive: true }));
for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'deep/d.png', 'comma, name.jpg']) {
  mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
  writeFileSync(path.join(base, name), '');
}

let made = 0;
function file(extension: string, content: string | Uint8Array): string {
  const place = path.join(base, `file${made++}.${extension}`);
  writeFileSync(place, content);
  return place;
}

const names = (dataset: Dataset): string[] => Array.from({ length: dataset.length }, (_, i) => dataset.sampleName(i));
const labels = (dataset: Dataset): number[][] =>
  Array.from({ length: dataset.length }, (_, i) => [...dataset.labels(i)]);

describe('manifest', () => {
  it('CSV: columns found by name, quoted cells, byte order mark, CRLF, parts and groups', () => {
    const csv =
      '\uFEFFid,Filename,Label,split,group\r\n1,a.jpg,rose,train,p1\r\n2,"comma, name.jpg","tulip, red",val,p1\r\n\r\n3,./deep/d.png,rose,Test,\r\n';
    const dataset = manifest(file('csv', csv));
    assert.deepEqual(names(dataset), ['a.jpg', 'comma, name.jpg', 'deep/d.png']);
    assert.deepEqual(dataset.classes, ['rose', 'tulip, red']);
    assert.deepEqual(labels(dataset), [[0], [1], [0]]);
    assert.deepEqual(dataset.officialParts, { train: [0], validation: [1], test: [2] });
    assert.deepEqual(
      [0, 1, 2].map((i) => dataset.group?.(i)),
      ['p1', 'p1', undefined],
    );
    assert.equal(dataset.multiLabel, false);
    assert.deepEqual(dataset.location(2), { kind: 'file', path: path.join(base, 'deep/d.png') });
  });

  it('semicolons and tabs; numbers as classes are in order of size', () => {
    const dataset = manifest(file('csv', 'path;label\na.jpg;10\nb.jpg;9\n'));
    assert.deepEqual(dataset.classes, ['9', '10']);
    assert.equal(manifest(file('tsv', 'path\tlabel\na.jpg\t1\n')).length, 1);
    assert.deepEqual(manifest(file('csv', 'path;label\na.jpg;10\n'), { classes: ['9', '10', '11'] }).target(0), 1);
  });

  it('several labels: separators, JSON arrays, none', () => {
    const csv = manifest(file('csv', 'path,tags\na.jpg,red|wild\nb.jpg,\nc.jpg,wild|red|wild\n'));
    assert.equal(csv.multiLabel, true);
    assert.deepEqual(
      [csv.classes, labels(csv)],
      [
        ['red', 'wild'],
        [[0, 1], [], [0, 1]],
      ],
    );
    assert.throws(() => csv.target(0), /multi-label/);
    const json = manifest(
      file('jsonl', '{"image": "a.jpg", "label": ["x", "y"]}\n\n{"image": "b.jpg", "label": []}\n'),
    );
    assert.deepEqual([json.multiLabel, labels(json)], [true, [[0, 1], []]]);
    const spaced = manifest(file('csv', 'path,label\na.jpg,red wild\n'), { separator: ' ' });
    assert.deepEqual(spaced.classes, ['red', 'wild']);
    const arrays = manifest(file('csv', 'path,labels\na.jpg,"[""u"", ""v""]"\n'));
    assert.deepEqual(arrays.classes, ['u', 'v']);
  });

  it('what cannot be taken is listed with its row', () => {
    const dataset = manifest(file('csv', 'path,label\na.jpg,x\nnone.jpg,x\nb.jpg,\na.jpg,x\ndeep,x\nc.jpg,y\n'), {
      exclude: ['c.jpg'],
    });
    assert.deepEqual(names(dataset), ['a.jpg']);
    assert.deepEqual(dataset.skipped, [
      { path: 'none.jpg', reason: 'row 3: no such file' },
      { path: 'b.jpg', reason: 'row 4: no label' },
      { path: 'a.jpg', reason: 'row 5: already in row 2' },
      { path: 'deep', reason: 'row 6: a directory, not a file' },
      { path: 'c.jpg', reason: 'left out by name' },
    ]);
  });

  it('errors name the row, the column and what to do', () => {
    const fails = (extension: string, content: string, message: RegExp, options = {}): void => {
      assert.throws(() => manifest(file(extension, content), options), message);
    };
    fails('csv', 'path,label\na.jpg,x\nb.jpg,x,y\n', /row 3: 3 cells where the header has 2/);
    fails('csv', 'path,label\na.jpg,x\n"b.jpg,x\n', /quoted cell is never closed/);
    fails('csv', 'path,label\na.jpg,x\na.jpg,y\n', /row 3: a\.jpg has another label than in row 2/);
    fails(
      'csv',
      'path,label,split\na.jpg,x,train\nb.jpg,x,holdout\n',
      /row 3: the part is "holdout"; train, validation or test was expected/,
    );
    fails('csv', 'path,label\nhttps://x.org/a.jpg,x\n', /row 2: .* is an address: download/);
    fails('csv', 'path,label\n,x\n', /row 2: no path/);
    fails('csv', 'path,path\na.jpg,x\n', /two columns are called path/);
    fails('csv', 'one,two\na.jpg,x\n', /has no column of paths .*its columns are one, two/);
    fails('csv', 'path,two\na.jpg,x\n', /has no column of labels/);
    fails('csv', 'path,label\na.jpg,x\n', /has no column kind; its columns are path, label/, { label: 'kind' });
    fails('csv', 'path,label\na.jpg,x\n', /row 2: x is none of the classes given \(y\)/, { classes: ['y'] });
    fails('csv', 'path,label\nnowhere.jpg,x\n', /lists no picture that can be used: nowhere\.jpg: row 2: no such file/);
    fails('csv', '', /is empty/);
    fails('jsonl', '{"path": "a.jpg", "label": "x"}\n{oops}\n', /row 2: not JSON/);
    fails('jsonl', '[1]\n', /row 1: an array where an object was expected/);
    fails('jsonl', '{"path": "a.jpg", "label": {"x": 1}}\n', /row 1: a label is text, a number/);
    assert.throws(() => manifest(path.join(base, 'nowhere.csv')), /no such file/);
    assert.throws(() => manifest(base), /is a folder: a file was expected/);
    assert.throws(() => manifest(file('csv', Uint8Array.of(0x70, 0xff, 0xc0, 0x80))), /not UTF-8/);
  });
});

describe('table', () => {
  const csv = 'petals,colour,zip,height,label\n5,red,01234,1.5e1,rose\n?,NA,99,,tulip\n-6,blue,7,.5,rose\n8,red,1,2,\n';

  it('types are inferred, missing values are null, rows without a class are left out', () => {
    const dataset = table(file('csv', csv), { types: { zip: 'categorical' } });
    assert.deepEqual(dataset.columns, [
      { name: 'petals', type: 'numeric' },
      { name: 'colour', type: 'categorical' },
      { name: 'zip', type: 'categorical' },
      { name: 'height', type: 'numeric' },
    ]);
    const row = (i: number) => dataset.columns.map((_, column) => dataset.cell(i, column));
    assert.deepEqual(
      [row(0), row(1), row(2)],
      [
        [5, 'red', '01234', 15],
        [null, null, '99', null],
        [-6, 'blue', '7', 0.5],
      ],
    );
    assert.deepEqual(
      [dataset.classes, labels(dataset)],
      [
        ['rose', 'tulip'],
        [[0], [1], [0]],
      ],
    );
    assert.equal(dataset.skipped[0]?.path, `${path.basename(dataset.root)}#5`);
    assert.match(dataset.sampleName(2), /#4$/);
    assert.throws(() => dataset.cell(3, 0), /no cell in sample 3/);
    assert.deepEqual(subset(dataset, [2]).cell(0, 0), -6);
  });

  it('the class is the column called so, else the last, else the one named', () => {
    assert.deepEqual(table(file('csv', 'class,x\nb,1\na,2\n')).classes, ['a', 'b']);
    assert.deepEqual(table(file('tsv', 'x\ty\n1\tb\n2\ta\n')).classes, ['a', 'b']);
    const dataset = table(file('csv', 'id,x,part,g,n\n1,a,train,q,5\n2,b,test,q,6\n'), {
      label: 'x',
      split: 'part',
      group: 'g',
      ignore: ['id'],
    });
    assert.deepEqual([dataset.classes, dataset.columns.length, dataset.group?.(1)], [['a', 'b'], 1, 'q']);
  });

  it('errors name row and column', () => {
    assert.throws(() => table(file('csv', 'x,y\n1,a\n2\n')), /row 3: 1 cell where the header has 2/);
    assert.throws(() => table(file('csv', csv), { label: 'kind' }), /no column kind/);
    assert.throws(
      () => table(file('csv', csv), { types: { colour: 'numeric' } }),
      /row 2: "red" in the numeric column colour/,
    );
    assert.throws(() => table(file('csv', 'y\na\n')), /no column besides that of the class/);
    assert.throws(() => table(file('csv', 'x,y\n')), /has a header but no rows/);
    const price = Array.from({ length: 30 }, (_, i) => `1,${i + 0.5}`).join('\n');
    assert.throws(
      () => table(file('csv', `x,price\n${price}\n`)),
      /price has 30 different numbers, which are not classes/,
    );
  });
});

describe('textLines', () => {
  it('CSV, tab-separated lines without a header, JSON lines', () => {
    const csv = textLines(file('csv', 'label,text\ngood,"fine, thanks"\nbad,"two\nlines"\n,lost\n'));
    assert.deepEqual(
      [csv.classes, csv.text(0), csv.text(1), csv.length],
      [['bad', 'good'], 'fine, thanks', 'two\nlines', 2],
    );
    assert.equal(csv.skipped[0]?.reason, 'no label');
    const lines = textLines(file('tsv', 'ham\tHe said "hi\nspam\tWin now\tfree\n'));
    assert.deepEqual([lines.text(0), lines.text(1), labels(lines)], ['He said "hi', 'Win now\tfree', [[0], [1]]]);
    const json = textLines(file('jsonl', '{"review": "ok", "label": 1}\n{"review": "no", "label": 0}\n'));
    assert.deepEqual([json.classes, json.target(0), json.text(1)], [['0', '1'], 1, 'no']);
    assert.throws(() => json.text(2), /there is no sample 2/);
    assert.throws(() => textLines(file('tsv', 'ham\tok\nspam\n')), /row 2: no tab between label and text/);
    assert.throws(() => textLines(file('csv', 'text,x\na,b\n')), /no column of labels/);
  });

  it('a folder of texts by class, with parts', () => {
    const root = path.join(base, 'reviews');
    for (const [name, text] of [
      ['train/pos/1.txt', 'fine'],
      ['train/neg/1.txt', 'poor'],
      ['test/pos/9.txt', 'good'],
    ] as const) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    const dataset = textLines(root);
    assert.deepEqual([dataset.classes, dataset.text(0), labels(dataset)], [['neg', 'pos'], 'good', [[1], [0], [1]]]);
    assert.deepEqual(dataset.officialParts, { train: [1, 2], validation: [], test: [0] });
    assert.equal(openDataset(root).kind, 'text');
  });
});

describe('tensorDataset', () => {
  it('holds rows, labels and names; subsets take rows', () => {
    const input = torch.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const dataset = tensorDataset({ input, target: torch.tensor([0n, 2n, 1n]), classes: ['a', 'b', 'c'] });
    assert.deepEqual(
      [labels(dataset), names(dataset)],
      [
        [[0], [2], [1]],
        ['0', '1', '2'],
      ],
    );
    assert.deepEqual(subset(dataset, [2, 0]).input.toArray(), [
      [5, 6],
      [1, 2],
    ]);
    const multi = tensorDataset({
      input,
      target: torch.tensor([
        [0, 1],
        [1, 1],
        [0, 0],
      ]),
    });
    assert.deepEqual([multi.multiLabel, labels(multi)], [true, [[1], [0, 1], []]]);
  });

  it('refuses what does not fit', () => {
    const input = torch.zeros([3, 2]);
    assert.throws(() => tensorDataset({ input, target: [0, 1] }), /input has 3 samples .*target has shape \[2\]/);
    assert.throws(() => tensorDataset({ input, target: [0, 1, 0.5] }), /target\[2\] is 0\.5/);
    assert.throws(
      () => tensorDataset({ input, target: [0, 1, 5], classes: ['a', 'b'] }),
      /target\[2\] is 5, but there are 2 classes/,
    );
    assert.throws(() => tensorDataset({ input, target: [0, 1, 1], names: ['x'] }), /1 names for 3 samples/);
  });
});

describe('openDataset', () => {
  it('tells by looking', () => {
    const pictures = path.join(base, 'pictures');
    mkdirSync(path.join(pictures, 'rose'), { recursive: true });
    writeFileSync(path.join(pictures, 'rose', '1.jpg'), '');
    assert.equal(openDataset(pictures).kind, 'pictures');
    assert.deepEqual(openDataset(pictures, { name: 'f' }).classes, ['rose']);
    const listed = path.join(base, 'listed');
    mkdirSync(path.join(listed, 'images'), { recursive: true });
    writeFileSync(path.join(listed, 'images', '1.jpg'), '');
    writeFileSync(path.join(listed, 'labels.csv'), 'path,label\nimages/1.jpg,tulip\n');
    assert.deepEqual(openDataset(listed).classes, ['tulip']);
    assert.equal(openDataset(file('csv', 'path,label\na.jpg,x\n')).kind, 'pictures');
    assert.equal(openDataset(file('csv', 'x,label\n1,x\n')).kind, 'table');
    assert.equal(openDataset(file('csv', 'text,label\nhello there,x\n')).kind, 'text');
    assert.equal(openDataset(file('tsv', 'ham\thello there you\n')).kind, 'text');
    assert.equal(openDataset(file('tsv', 'x\ty\n1\ta\n')).kind, 'table');
    assert.equal(openDataset(file('jsonl', '{"text": "hello", "label": "x"}\n')).kind, 'text');
    assert.equal(openDataset(file('csv', 'text,label\nhello there,x\n'), { kind: 'table' }).kind, 'table');
  });

  it('says in one sentence what it found when it cannot tell', () => {
    const flat = path.join(base, 'flat');
    mkdirSync(flat);
    assert.throws(() => openDataset(flat), /holds no files: expected were .*<class>\/picture\.jpg/);
    writeFileSync(path.join(flat, '1.jpg'), '');
    assert.throws(() => openDataset(flat), /holds 1 picture outside of class folders/);
    assert.throws(() => openDataset(path.join(base, 'nowhere')), /no such file or folder/);
    assert.throws(() => openDataset(file('zip', '')), /is not a kind of file that data is read from/);
    assert.throws(() => openDataset(flat, { kind: 'x' as never }), /no kind of data called x/);
  });
});
