import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { short } from '../../src/cli/models.js';
import { packageRoot } from '../../src/torch/engine.js';

/** Runs the command from its sources. */
function models(...args: readonly string[]) {
  const file = pathToFileURL(path.join(packageRoot, 'src', 'cli', 'main.ts')).href;
  const code = `const { main } = await import(${JSON.stringify(file)});
    process.exitCode = await main(${JSON.stringify(['models', ...args])});`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', code],
    { encoding: 'utf8', cwd: packageRoot, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
  );
  return { status, stdout, stderr };
}

test('numbers with three digits and a unit', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0'],
    [5, '5'],
    [3.456, '3.46'],
    [999, '999'],
    [999.6, '1.00 k'],
    [12_345, '12.3 k'],
    [11_689_512, '11.7 M'],
    [4.089e9, '4.09 G'],
    [123.4, '123'],
  ];
  for (const [value, text] of cases) assert.equal(short(value), text);
});

test('the table counts all models, and says which cannot take such pictures', () => {
  const { status, stdout } = models('--no-measure', '--size', '20');
  assert.equal(status, 0);
  assert.match(stdout, /^resnet18 +11\.2 M +26\.1 M +\S+ MB +– +–$/m);
  assert.match(stdout, /^vit-tiny: .*20 × 20 cannot be cut into patches of 16 × 16/m);
  assert.match(stdout, /^convnext-atto: .*cannot take a sample of 3 × 20 × 20/m);
  assert.match(stdout, /resnet-small: the first choice/);
});

test('measuring gives pictures per second, as JSON too', () => {
  const { status, stdout } = models('convnet', '--size', '32x48', '--batch', '4', '--seconds', '0.2', '--json');
  assert.equal(status, 0);
  const [row] = JSON.parse(stdout) as {
    spec: { name: string };
    description: { parameters: number; layers: unknown[] };
    speed: { training: { samplesPerSecond: number }; inference: { samplesPerSecond: number } };
  }[];
  assert.equal(row?.spec.name, 'convnet');
  assert.ok(row !== undefined && row.description.parameters > 1e6 && row.description.layers.length === 26);
  assert.ok(row.speed.training.samplesPerSecond > 0 && row.speed.inference.samplesPerSecond > 0);
});

test('layers of a model; mistakes are answered in one sentence', () => {
  const { stdout } = models('ConvNet', '--layers', '--size', '64');
  assert.match(stdout, /^network\.1\.c1 +Conv2d +64 × 16 × 16 +18,496 +4\.72 M$/m);
  assert.match(stdout, /^4,\d{3},\d{3} parameters, .* multiply-adds and .* of activations per picture\.$/m);
  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [['resnet19'], /^✘ There is no model 'resnet19'; did you mean 'resnet18'\?\n$/],
    [['--size', 'big'], /^✘ --size must be a number of pixels, or height x width as in 128x96; got 'big'\.\n$/],
    [['convnet', '--batch', '0'], /^✘ --batch must be a whole number above 0; see praxis models --help\.\n$/],
    [['--layers'], /^✘ --layers needs a model: praxis models resnet18 --layers\./],
    [['vit-tiny', '--size', '100', '--no-measure'], /^✘ VisionTransformer: pictures of 100 × 100 cannot be cut/],
  ];
  for (const [args, message] of mistakes) {
    const { status, stderr } = models(...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
});

test('the pretrained weights that are known by name', () => {
  const { status, stdout } = models('resnet18', '--weights');
  assert.equal(status, 0);
  assert.match(stdout, /^resnet18\.tv_in1k \(ResNet18_Weights\.IMAGENET1K_V1\) +resnet18 +224 +ImageNet/m);
  assert.doesNotMatch(stdout, /resnet50/);
  assert.match(stdout, /kept in .*weights/);
});

test('where dropout belongs: in a model by name, in a network of one’s own', () => {
  const vit = models('vit-tiny', '--advise', '--size', '32');
  assert.match(vit.stdout, /^vit-tiny:\n {2}consider .*stochastic depth/);
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-advise-'));
  try {
    const file = path.join(folder, 'net.ts');
    writeFileSync(
      file,
      `import { nn, type torch } from 'praxis';
      export default class Net extends nn.Module {
        body = new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.Dropout(0.1), new nn.Conv2d(8, 8, 3), new nn.Flatten());
        fc = new nn.Linear(8 * 28 * 28, 64);
        override forward(x: torch.Tensor) { return this.fc.call(this.body.call(x)); }
      }`,
    );
    const own = models(file, '--advise', '--size', '32');
    assert.equal(own.status, 0, own.stderr);
    assert.match(own.stdout, /^net\.ts:\n/);
    assert.match(own.stdout, /^ {2}remove {3}body\.1 is a dropout before body\.2, a convolution of 3 × 3/m);
    assert.match(own.stdout, /^ {2}add {6}fc is a fully connected layer with 401,408 weights/m);
    writeFileSync(file, 'export default 3;');
    assert.match(models(file, '--advise').stderr, /net\.ts must give a network by default/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.match(models('--advise').stderr, /^✘ --advise needs a model, or a file/);
});
