/** The checks of layers and sizes: each must fail on a planted violation and pass without it. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { importsOf, layerViolations } from '../../scripts/check-layers.mjs';
import { countLines, sizeViolations } from '../../scripts/check-sizes.mjs';
import { packageRoot } from '../../scripts/setup/state.mjs';
import { temporaryFolder, writeTree } from './trees.js';

test('imports may go down and sideways; index.ts may import everything', (t) => {
  const root = writeTree(temporaryFolder(t), {
    'src/torch/a.ts':
      "import { b } from './b.js';\nimport fs from 'node:fs';\nimport data from '../../package.json';\n",
    'src/nn/module.ts': "import type { Tensor } from '../torch/tensor.js';\nexport * from './linear.js';\n",
    'src/cli/main.ts': "import { a } from '../torch/a.js';\nconst later = await import('../report/page.js');\n",
    'src/index.ts': "export * from './cli/main.js';\n",
  });
  assert.deepEqual(layerViolations(root), []);
});

for (const [what, file, text] of [
  ['a static import', 'src/torch/a.ts', "import { Linear } from '../nn/linear.js';"],
  ['a type', 'src/nn/a.ts', "import type { Sgd } from '../optim/sgd.js';"],
  ['an import over several lines', 'src/data/a.ts', "import {\n  one,\n  two,\n} from '../train/loop.js';"],
  ['a re-export', 'src/optim/a.ts', "export { x } from '../data/x.js';"],
  ['an import for its effect', 'src/track/a.ts', "import '../optim/x.js';"],
  ['a dynamic import', 'src/look/deep/a.ts', "const x = await import('../../models/x.js');"],
  ['the package itself', 'src/nn/a.ts', "import { torch } from 'praxis';"],
  ['the index', 'src/nn/a.ts', "import { torch } from '../index.js';"],
  ['a file of no layer', 'src/helpers/a.ts', ''],
  ['a loose file', 'src/loose.ts', ''],
] as const) {
  test(`a violation is found: ${what}`, (t) => {
    const violations = layerViolations(writeTree(temporaryFolder(t), { [file]: text }));
    assert.equal(violations.length, 1, violations.join('\n'));
    assert.ok(violations[0]?.startsWith(file));
  });
}

test('examples in docstrings are not imports', () => {
  assert.deepEqual(
    importsOf("/**\n * import { x } from '../nn/x.js';\n */\n// import '../cli/a.js'\nimport './y.js';\n"),
    ['./y.js'],
  );
});

const lines = (count: number) => 'x\n'.repeat(count);

test('a file over 400 lines is found, in any of the source folders; generated files are free', (t) => {
  const root = writeTree(temporaryFolder(t), {
    'src/fits.ts': lines(400),
    'src/torch/big.generated.ts': lines(5000),
    'test/golden/numbers.json': lines(5000),
  });
  assert.deepEqual(sizeViolations(root), []);
  for (const file of [
    'src/a/big.ts',
    'native/big.cc',
    'scripts/big.mjs',
    'test/big.test.ts',
    'examples/big.ts',
    'bench/big.ts',
  ]) {
    writeTree(root, { [file]: lines(401) });
  }
  assert.equal(sizeViolations(root).length, 6);
  assert.ok(sizeViolations(root).every((text) => text.includes('401 lines')));
});

test('the C++ as a whole is limited, the optional CUDA file apart', (t) => {
  const root = writeTree(temporaryFolder(t), {
    'native/a.cc': lines(400),
    'native/b.h': lines(400),
    'native/stub/c.h': lines(400),
    'native/cuda_extra.cc': lines(300),
    'native/jpeg.cc': lines(150),
  });
  assert.deepEqual(sizeViolations(root), []);
  writeTree(root, { 'native/d.h': lines(1) });
  assert.match(sizeViolations(root).join(), /^native\/ has 1201 lines of C\+\+/);
});

test('lines are counted with and without a newline at the end', () => {
  assert.deepEqual(['', 'a', 'a\n', 'a\nb', '\n\n'].map(countLines), [0, 1, 1, 2, 2]);
});

test('the layers named here are the only folders of src/', () => {
  assert.deepEqual(layerViolations(path.resolve(packageRoot)), []);
});
