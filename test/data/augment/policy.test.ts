/** What would change a label is left out, as far as the names of the classes tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augmentationPreset, buildAugmentation, keepLabels, labelKind } from '../../../src/data/augment/index.js';

test('classes that look like letters or digits, and those that are mirror images', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], 'characters'],
    [['3', '7'], 'characters'],
    [['A', 'b', 'ß', 'Ω'], 'characters'],
    [['digit_0', 'digit_1', 'blank'], 'characters'],
    [['zero', 'one', 'two'], 'characters'],
    [['left-hand', 'right-hand', 'none'], 'sides'],
    [['turn left', 'turn right'], 'sides'],
    [['daisy', 'rose', 'tulip'], 'things'],
    [['copyright', 'bright'], 'things'],
    [['left', 'centre'], 'things'],
    [Array.from({ length: 102 }, (_, i) => String(i + 1)), 'things'],
    [['class_1', 'class_2'], 'things'],
  ];
  for (const [classes, kind] of cases) assert.equal(labelKind(classes), kind, classes.slice(0, 3).join(', '));
});

test('no preset mirrors, turns far or cuts small where that changes the label, and all still work', () => {
  for (const preset of ['light', 'medium', 'strong'] as const)
    for (const size of [28, 64]) {
      const spec = augmentationPreset(preset, { samplesPerClass: 100, size });
      assert.ok(spec.steps.some(({ name }) => name === 'randomHorizontalFlip'));
      assert.equal(keepLabels(spec, 'things'), spec);
      for (const kind of ['characters', 'sides'] as const) {
        const kept = keepLabels(spec, kind);
        const names = kept.steps.map(({ name }) => name);
        assert.ok(!names.includes('randomHorizontalFlip'), `${preset} ${kind}`);
        const cut = kept.steps.find(({ name }) => name === 'randomResizedCrop');
        if (kind === 'characters') {
          assert.ok(!names.includes('trivialAugmentWide'));
          if (cut !== undefined) assert.deepEqual(cut.options?.scale, [0.75, 1]);
        } else assert.equal(names.includes('trivialAugmentWide'), preset === 'strong');
        buildAugmentation(kept);
      }
    }
});
