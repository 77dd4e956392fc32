/** Trajectories against PyTorch's: live over 200 steps with every option, and stored ones where there is no Python. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runPython, skipLive } from '../support/python.js';
import {
  allCases,
  caseTitle,
  difference,
  makeOptimizer,
  makeParameters,
  muonCases,
  type OptimizerCase,
  run,
  valuesOf,
} from './cases.js';

const script = fileURLToPath(new URL('../../scripts/golden/optimizers.py', import.meta.url));
const ask = <Result>(request: object): Result => runPython<Result>([script], request);

const bound = { float32: 1e-6, float64: 1e-12 } as const;

function train(item: OptimizerCase, implementation?: 'fused' | 'foreach'): number[][] {
  const parameters = makeParameters(item);
  run(makeOptimizer(item, parameters, implementation), parameters, 0, item.steps);
  return valuesOf(parameters);
}

function compare(own: number[][], expected: number[][], item: OptimizerCase, what: string): void {
  const gap = difference(own, expected);
  assert.ok(gap <= bound[item.dtype], `${caseTitle(item)}, ${what}: ${gap} apart after ${item.steps} steps`);
}

describe('stored trajectories of PyTorch', () => {
  const golden = JSON.parse(
    readFileSync(fileURLToPath(new URL('../golden/optimizers.json', import.meta.url)), 'utf8'),
  ) as { cases: { case: OptimizerCase; result: number[][] }[] };
  assert.ok(golden.cases.length >= 25);
  for (const { case: item, result } of golden.cases)
    test(caseTitle(item), () => {
      for (const implementation of ['fused', 'foreach'] as const)
        compare(train(item, implementation), result, item, implementation);
    });
});

describe('live against Python', { skip: skipLive }, () => {
  for (const dtype of ['float64', 'float32'] as const)
    test(`every option over 200 steps, ${dtype}`, () => {
      const cases = allCases(dtype, 200);
      const results = ask<number[][][]>({ task: 'trajectories', cases });
      cases.forEach((item, i) => {
        for (const implementation of ['fused', 'foreach'] as const)
          compare(train(item, implementation), results[i] as number[][], item, implementation);
      });
    });

  test("the fused operators' own trajectories", {
    skip: torch.hasOperator('_fused_adamw_') ? false : 'the engine has none',
  }, () => {
    const cases = allCases('float32', 200)
      .filter(({ optimizer }) => /^(SGD|Adam|AdamW|Adagrad)$/.test(optimizer))
      .map((item) => ({ ...item, options: { ...item.options, fused: true } }));
    const results = ask<number[][][]>({ task: 'trajectories', cases });
    cases.forEach((item, i) => {
      assert.deepEqual(train(item), results[i], `${caseTitle(item)} is to be bit-equal`);
    });
  });

  test('Muon over 50 steps', {
    skip: Number(torch.version.split('.')[1]) < 9 || torch.version.startsWith('1.') ? 'PyTorch had none yet' : false,
  }, () => {
    const cases = muonCases(50);
    const results = ask<number[][][]>({ task: 'trajectories', cases });
    cases.forEach((item, i) => {
      compare(train(item), results[i] as number[][], item, 'Muon');
    });
  });

  describe('state dicts in files', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'praxis-optim-'));
    after(() => rmSync(folder, { recursive: true }));
    const cases = allCases('float32', 200);
    const files = (kind: string) => cases.map((_, i) => path.join(folder, `${kind}-${i}.pt`));

    test('made in Python, continued here', async () => {
      const saved = files('python');
      const results = ask<number[][][]>({
        task: 'save',
        cases: cases.filter((x) => x.optimizer !== 'Lion'),
        files: saved,
      });
      for (const [i, item] of cases.filter((x) => x.optimizer !== 'Lion').entries()) {
        const { weights, optimizer: state } = await torch.load<{ weights: Tensor[]; optimizer: unknown }>(
          saved[i] as string,
        );
        const parameters = weights.map((weight) => weight.detach().clone().requiresGrad_());
        // Other options than those that are loaded: they must give way.
        const optimizer = makeOptimizer({ ...item, options: { lr: 0.5 } }, parameters);
        optimizer.loadStateDict(state);
        run(optimizer, parameters, 100, 200);
        compare(valuesOf(parameters), results[i] as number[][], item, 'continued from Python');
      }
    });

    test('made here, continued in Python', async () => {
      const saved = files('own');
      const own: number[][][] = [];
      for (const [i, item] of cases.entries()) {
        const parameters = makeParameters(item);
        const optimizer = makeOptimizer(item, parameters);
        run(optimizer, parameters, 0, 100);
        await torch.save(
          { weights: parameters.map((x) => x.detach()), optimizer: optimizer.stateDict() },
          saved[i] as string,
        );
        run(optimizer, parameters, 100, 200);
        own.push(valuesOf(parameters));
      }
      const results = ask<number[][][]>({ task: 'resume', cases, files: saved });
      cases.forEach((item, i) => {
        compare(own[i] as number[][], results[i] as number[][], item, 'continued in Python');
      });
    });
  });
});
