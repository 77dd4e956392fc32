import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  formatTensor,
  getPrintOptions,
  type PrintableTensor,
  type PrintableValue,
  setPrintOptions,
  withPrintOptions,
} from '../../src/torch/print.js';
import { formatFixed, formatRepr, formatScientific } from '../../src/torch/print-numbers.js';
import { contextOf, type PrintCase, type PrintCases, printable, settingsOf } from './print-cases.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

function check(cases: readonly PrintCase[]): void {
  for (const item of cases) {
    const text = withPrintOptions(settingsOf(item), () => formatTensor(printable(item.tensor), contextOf(item)));
    const about = JSON.stringify({ ...item.tensor, values: item.tensor.values?.slice(0, 8), options: item.options });
    assert.equal(text, item.text, about);
  }
}

/** A Python that has torch, with its search path: named by the environment, or noted beside the engine at set-up. */
function parityPython(): { python: string; pythonPath?: string } | null {
  const named = process.env.PRAXIS_PARITY_PYTHON;
  if (named) return { python: named };
  const note = join(process.env.PRAXIS_ENGINE_DIR ?? join(root, '.engine'), 'parity.json');
  return existsSync(note) ? JSON.parse(readFileSync(note, 'utf8')) : null;
}

/** A dense CPU tensor of float32, unless said otherwise; counts how many elements the printer asked for. */
function sample(values: readonly PrintableValue[], extra: Partial<PrintableTensor> = {}): PrintableTensor {
  return {
    shape: [values.length],
    dtype: 'float32',
    device: 'cpu',
    layout: 'strided',
    requiresGrad: false,
    gradFnName: null,
    values: () => values,
    ...extra,
  };
}

describe('tensors print as in PyTorch 2.13', () => {
  const golden: PrintCases = JSON.parse(readFileSync(join(root, 'test/golden/print.json'), 'utf8'));
  const groups = new Map<string, PrintCase[]>();
  for (const item of golden.cases) {
    const { layout, dtype, nested } = item.tensor;
    const name = layout ?? (nested ? 'nested' : dtype);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }

  test('the stored prints cover every type and layout', () => {
    assert.ok(golden.cases.length >= 300, `${golden.cases.length} cases`);
    assert.ok(groups.size >= 28, [...groups.keys()].join(' '));
  });
  for (const [name, cases] of groups) test(`${name}: ${cases.length} stored prints`, () => check(cases));

  const parity = parityPython();
  test('random tensors, side by side with Python', { skip: parity ? false : 'no Python with torch is known' }, () => {
    const seed = Math.floor(Date.now() / 1000);
    const output = execFileSync(parity!.python, ['scripts/golden/print.py', '--fuzz', String(seed), '600'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      env: { ...process.env, PYTHONPATH: parity!.pythonPath ?? process.env.PYTHONPATH },
    });
    const { cases } = JSON.parse(output) as PrintCases;
    assert.equal(cases.length, 600, `seed ${seed}`);
    check(cases);
  });
});

describe('what the stored prints cannot show', () => {
  test('devices: all but the processor are named', () => {
    const on = (device: string): string => formatTensor(sample([1, 2], { device }));
    assert.equal(on('cuda:0'), "tensor([1., 2.], device='cuda:0')");
    assert.equal(on('mps:0'), "tensor([1., 2.], device='mps:0')");
    assert.equal(formatTensor(sample([1], { device: 'cuda:1' }), { defaultDeviceType: 'cuda' }), 'tensor([1.])');
    assert.equal(
      formatTensor(
        sample([0.5], { device: 'cuda:0', dtype: 'float16', gradFnName: 'SoftplusBackward0', requiresGrad: true }),
      ),
      "tensor([0.5000], device='cuda:0', dtype=torch.float16,\n       grad_fn=<SoftplusBackward0>)",
    );
  });

  test('devices without float64 decide on the notation in float32', () => {
    const values = [Math.fround(1e-4), 0.05];
    assert.equal(formatTensor(sample(values)), 'tensor([1.0000e-04, 5.0000e-02])');
    assert.equal(formatTensor(sample(values, { device: 'mps:0' })), "tensor([0.0001, 0.0500], device='mps:0')");
  });

  test('only the edges of a large tensor are asked for', () => {
    const asked: (number | null)[] = [];
    const values = (edgeItems: number | null): PrintableValue[] => {
      asked.push(edgeItems);
      return [1, 2, 3, 4, 5, 6];
    };
    const text = formatTensor(sample([], { shape: [10_000_000], dtype: 'int64', values }));
    assert.equal(text, 'tensor([1, 2, 3,  ..., 4, 5, 6])');
    assert.deepEqual(asked, [3]);
  });
});

describe('numbers as text', () => {
  test('halfway cases go to the even digit, from the exact binary value', () => {
    assert.equal(formatFixed(0.5, 0), '0');
    assert.equal(formatFixed(1.5, 0), '2');
    assert.equal(formatFixed(-2.5, 0), '-2');
    assert.equal(formatFixed(0.125, 2), '0.12');
    assert.equal(formatFixed(0.375, 2), '0.38');
    assert.equal(formatFixed(1.005, 2), '1.00');
    assert.equal(formatScientific(100005, 4), '1.0000e+05');
    assert.equal(formatScientific(100015, 4), '1.0002e+05');
  });
  test('extremes', () => {
    assert.equal(formatFixed(1e22, 1), '10000000000000000000000.0');
    assert.equal(formatFixed(-0, 2), '-0.00');
    assert.equal(formatFixed(-1e-9, 2), '-0.00');
    assert.equal(formatScientific(-0, 2), '-0.00e+00');
    assert.equal(formatScientific(9.99995e22, 4), '1.0000e+23');
    assert.equal(formatScientific(5e-324, 4), '4.9407e-324');
    assert.equal(
      formatScientific(0.1, 110),
      `1.${'0'.repeat(16)}55511151231257827021181583404541015625${'0'.repeat(56)}e-01`,
    );
    assert.deepEqual([formatFixed(Number.NaN, 1), formatScientific(-Infinity, 1)], ['nan', '-inf']);
  });
  test('shortest form, as repr of a Python float', () => {
    const expected = {
      '0.1': 0.1,
      '3.0': 3,
      '1e-05': 1e-5,
      '0.0001': 1e-4,
      '1e+16': 1e16,
      '123456789012345.0': 123456789012345,
    };
    for (const [text, value] of Object.entries(expected)) assert.equal(formatRepr(value), text);
    assert.equal(formatRepr(-0), '-0.0');
  });
});

describe('print options', () => {
  test('profiles, single options, and the automatic return of sciMode', () => {
    const before = getPrintOptions();
    try {
      setPrintOptions({ profile: 'short', sciMode: true });
      assert.deepEqual(getPrintOptions(), {
        precision: 2,
        threshold: 1000,
        edgeitems: 2,
        linewidth: 80,
        sciMode: true,
      });
      setPrintOptions({ precision: 6 });
      assert.deepEqual(getPrintOptions(), {
        precision: 6,
        threshold: 1000,
        edgeitems: 2,
        linewidth: 80,
        sciMode: null,
      });
      setPrintOptions({ profile: 'full' });
      assert.equal(getPrintOptions().threshold, Infinity);
      setPrintOptions({ profile: 'default' });
      assert.deepEqual(getPrintOptions(), {
        precision: 4,
        threshold: 1000,
        edgeitems: 3,
        linewidth: 80,
        sciMode: null,
      });
    } finally {
      setPrintOptions(before);
    }
  });

  test('withPrintOptions restores them, also after an error, and refuses promises', () => {
    const before = getPrintOptions();
    assert.equal(
      withPrintOptions({ precision: 1 }, () => formatTensor(sample([0.25]))),
      'tensor([0.2])',
    );
    assert.throws(() =>
      withPrintOptions({ precision: 1 }, () => {
        throw new Error('inside');
      }),
    );
    assert.throws(() => withPrintOptions({ precision: 1 }, async () => {}), /promise/);
    assert.deepEqual(getPrintOptions(), before);
  });

  test('values that cannot be used are refused, and nothing changes', () => {
    const before = getPrintOptions();
    assert.throws(() => setPrintOptions({ precision: -1 }), /precision must be a whole number from 0 to 1100, got -1/);
    assert.throws(() => setPrintOptions({ edgeitems: 1.5 }), /edgeitems must be a whole number of at least 0, got 1.5/);
    assert.throws(() => setPrintOptions({ linewidth: 0 }), /linewidth must be a whole number of at least 1, got 0/);
    assert.throws(() => setPrintOptions({ threshold: Number.NaN }), /threshold .* got NaN/);
    assert.throws(() => setPrintOptions({ precision: 2, profile: 'tiny' as 'short' }), /unknown profile "tiny"/);
    assert.throws(() => setPrintOptions({ sciMode: 1 as unknown as boolean }), /sciMode must be true, false or null/);
    assert.deepEqual(getPrintOptions(), before);
  });
});
