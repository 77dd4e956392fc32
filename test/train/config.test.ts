import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Command } from 'commander';
import { addSettings, givenSettings } from '../../src/cli/settings-flags.js';
import { flagsFor } from '../../src/train/config/flags.js';
import { fieldFacts, flagOf, settingNames, trainSchema } from '../../src/train/config/schema.js';
import { checkSettings, gatherSettings, parseFlag } from '../../src/train/config/settings.js';
import { ConfigError } from '../../src/train/errors.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'praxis-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const complaint = (settings: unknown): string => {
  try {
    checkSettings(settings, 'train()');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return 'no complaint';
};

test('every setting has a default or may be left out, a group and a help text', () => {
  const settings = checkSettings({}, 'train()');
  assert.equal(settings.epochs, 'auto');
  assert.deepEqual(settings.split, [0.7, 0.15, 0.15]);
  assert.deepEqual(Object.keys(trainSchema.shape).sort(), [...settingNames].sort());
  for (const name of settingNames) assert.ok(fieldFacts[name].help.length > 5, name);
});

test('a complaint is one sentence that names the place, the setting and the nearest right answer', () => {
  assert.equal(complaint({ epoch: 3 }), "train(): there is no setting 'epoch'; did you mean epochs?");
  assert.equal(
    complaint({ epochs: 'aut' }),
    `train(): epochs must be "auto" or a number, got "aut"; did you mean 'auto'?`,
  );
  assert.equal(complaint({ epochs: -1 }), 'train(): epochs must be a number above 0, got -1.');
  assert.match(complaint({ augment: 'mediun' }), /did you mean 'medium'\?$/);
  assert.match(complaint({ split: [0.5, 0.2, 0.2] }), /split: the three shares must sum to 1/);
  assert.match(complaint({ device: 'gpu' }), /device must be 'auto', 'cpu', 'cuda'/);
  assert.match(complaint({ precision: 'float16', device: 'cpu' }), /use precision 'bfloat16'/);
  assert.match(complaint(5), /the settings must be an object, got 5/);
  assert.match(complaint({ seed: 1.5 }), /seed must be a whole number/);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, '', null, [], {}])
    assert.notEqual(complaint({ learningRate: bad }), 'no complaint', String(bad));
});

test('flags are read as numbers, words, shares and sizes', () => {
  assert.deepEqual(parseFlag('split', '70/15/15'), [0.7, 0.15, 0.15]);
  assert.deepEqual(parseFlag('split', '0.8,0.1,0.1'), [0.8, 0.1, 0.1]);
  assert.deepEqual(parseFlag('size', '96x128'), [96, 128]);
  assert.equal(parseFlag('size', '64'), 64);
  assert.equal(parseFlag('budget', '2m'), 2);
  assert.equal(parseFlag('learningRate', '1e-3'), 0.001);
  assert.equal(parseFlag('name', '2026'), '2026');
  assert.throws(() => parseFlag('split', '70/20/20'), /--split: the shares must sum to 100/);
  assert.throws(() => parseFlag('split', 'half'), /--split takes three shares/);
});

test('flags overrule the file, the file overrules the defaults; each is named in its complaints', async () => {
  const json = path.join(folder, 'praxis.config.json');
  writeFileSync(json, JSON.stringify({ epochs: 7, seed: 3 }));
  const { settings, file } = await gatherSettings({ seed: '4' }, { folder });
  assert.deepEqual([settings.epochs, settings.seed, file], [7, 4, json]);
  await assert.rejects(
    gatherSettings({ epochs: 'x' }, { folder }),
    /^ConfigError: --epochs must be "auto" or a number, got "x"/,
  );
  writeFileSync(json, JSON.stringify({ epoch: 7 }));
  await assert.rejects(gatherSettings({}, { folder }), /praxis\.config\.json: there is no setting 'epoch'/);
  writeFileSync(json, '{');
  await assert.rejects(gatherSettings({}, { folder }), /cannot be read as JSON/);
  rmSync(json);
});

test('a TypeScript file with types from praxis is read', async () => {
  const file = path.join(folder, 'praxis.config.ts');
  writeFileSync(
    file,
    "import { defineConfig } from 'praxis';\nexport default defineConfig({ epochs: 3, split: [0.6, 0.2, 0.2] });\n",
  );
  const { settings } = await gatherSettings({}, { folder });
  assert.deepEqual([settings.epochs, settings.split], [3, [0.6, 0.2, 0.2]]);
  writeFileSync(file, 'export default 5;');
  await assert.rejects(gatherSettings({}, { folder }), /the settings must be an object/);
  writeFileSync(file, 'export default {');
  await assert.rejects(gatherSettings({}, { folder }), /praxis\.config\.ts: cannot be read as a module/);
  await assert.rejects(
    gatherSettings({}, { config: path.join(folder, 'other.ts') }),
    /there is no such configuration file/,
  );
});

test('the command line has a flag for every setting and passes on only what was given', () => {
  const command = new Command('train').exitOverride();
  addSettings(command);
  const flags = command.options.map((option) => option.long);
  for (const name of settingNames)
    assert.ok(flags.includes(`--${flagOf(name)}`) || flags.includes(`--no-${flagOf(name)}`), name);
  command.parse(['--epochs', '5', '--no-cache', '--learning-rate', 'find'], { from: 'user' });
  assert.deepEqual(givenSettings(command), { epochs: '5', cache: false, learningRate: 'find' });
});

test('settings become the flags that give them', () => {
  const settings = {
    split: [1 / 3, 1 / 3, 1 / 3],
    size: [96, 128],
    cache: false,
    averageBest: true,
    calibrate: true,
    epochs: 5,
  } as const;
  const flags = flagsFor(Object.entries(settings) as [keyof typeof settings, unknown][]);
  const command = new Command('train').exitOverride();
  addSettings(command);
  command.parse(flags, { from: 'user' });
  const { split, ...given } = givenSettings(command);
  const parsed = Object.entries(given).map(([name, text]) => [name, parseFlag(name as 'size', text)]);
  assert.deepEqual(Object.fromEntries(parsed), { size: [96, 128], cache: false, epochs: 5 });
  for (const share of parseFlag('split', split as string) as number[]) assert.ok(Math.abs(share - 1 / 3) < 1e-9);
});
