/** Augmentations by size of the data: few pictures need more of it. Written as data, so that runs record them and files change them. */
import { ArgumentError, nearest } from '../../torch/errors.js';
import type { AugmentationSpec, AugmentationStep } from './spec.js';

export const augmentationPresets = ['auto', 'none', 'light', 'medium', 'strong'] as const;
export type AugmentationPreset = (typeof augmentationPresets)[number];

/** `cut` takes parts of pictures and resizes them, `move` moves pictures by an eighth, so that things keep their size; `auto` moves up to 40 pixels. */
export const cropWays = ['auto', 'cut', 'move'] as const;
export type CropWay = (typeof cropWays)[number];

export interface PresetOptions {
  /** Training pictures per class, on average; `auto` chooses by it. */
  readonly samplesPerClass: number;
  /** Height and width of what the network takes, or one number for both. */
  readonly size: number | readonly [number, number];
  /** Whether a mirrored picture is as good a picture of its class (not so for letters and digits); default true. */
  readonly flips?: boolean;
  /** How crops are made, default `auto`. */
  readonly crops?: CropWay;
}

/** From how many pictures per class on a preset is enough. */
const enough = { light: 2000, medium: 200 } as const;

/** What `auto` chooses: `strong` below 200 pictures per class, `medium` below 2,000, else `light`. */
export function presetFor(samplesPerClass: number): Exclude<AugmentationPreset, 'auto' | 'none'> {
  if (samplesPerClass >= enough.light) return 'light';
  return samplesPerClass >= enough.medium ? 'medium' : 'strong';
}

/** Parts of pictures, or where they are so small that details would be lost, pictures moved by an eighth. */
function cropStep(height: number, width: number, least: number, way: CropWay): AugmentationStep {
  const small = Math.min(height, width);
  if (way === 'move' || (way === 'auto' && small <= 40))
    return { name: 'randomCrop', options: { padding: Math.max(1, Math.round(small / 8)), paddingMode: 'reflect' } };
  return { name: 'randomResizedCrop', options: { size: [height, width], scale: [least, 1] } };
}

/**
 * A preset's steps for pictures of a size.
 * - `none`: nothing
 * - `light`: crops of at least 60 % of the area, flips
 * - `medium`: crops of at least 35 %, flips, a little colour, CutMix for half of the pictures
 * - `strong`: crops of at least 20 %, flips, TrivialAugment, erasing a quarter of the pictures, mixing half of them
 * - `auto`: one of the last three by pictures per class
 * @throws ArgumentError naming the nearest preset
 */
export function augmentationPreset(name: AugmentationPreset, options: PresetOptions): AugmentationSpec {
  if (!augmentationPresets.includes(name)) {
    const near = nearest(String(name), augmentationPresets);
    const hint = near === undefined ? `there are ${augmentationPresets.join(', ')}.` : `did you mean '${near}'?`;
    throw new ArgumentError(`There is no augmentation preset ${JSON.stringify(name)}; ${hint}`);
  }
  const { samplesPerClass, flips = true, crops = 'auto' } = options;
  if (!(samplesPerClass > 0))
    throw new ArgumentError(`augmentationPreset(): samplesPerClass must be above 0, got ${samplesPerClass}.`);
  if (!cropWays.includes(crops))
    throw new ArgumentError(
      `augmentationPreset(): crops must be ${cropWays.join(', ')}, got ${JSON.stringify(crops)}.`,
    );
  const [height, width] = typeof options.size === 'number' ? [options.size, options.size] : options.size;
  const chosen = name === 'auto' ? presetFor(samplesPerClass) : name;
  if (chosen === 'none') return { preset: chosen, steps: [] };
  const flip: AugmentationStep[] = flips ? [{ name: 'randomHorizontalFlip', options: { p: 0.5 } }] : [];
  switch (chosen) {
    case 'light':
      return { preset: chosen, steps: [cropStep(height, width, 0.6, crops), ...flip] };
    case 'medium':
      return {
        preset: chosen,
        steps: [
          cropStep(height, width, 0.35, crops),
          ...flip,
          { name: 'colorJitter', options: { brightness: 0.3, contrast: 0.3, saturation: 0.3 } },
          { name: 'cutmix', options: { alpha: 1, p: 0.5 } },
        ],
      };
    default:
      return {
        preset: chosen,
        steps: [
          cropStep(height, width, 0.2, crops),
          ...flip,
          { name: 'trivialAugmentWide', options: {} },
          { name: 'randomErasing', options: { p: 0.25 } },
          { name: 'mixup', options: { alpha: 0.2, p: 0.5 } },
        ],
      };
  }
}

/** Changes to entries by name: options to merge in, or `false` to leave the step out; a name that was not there is added. */
export type AugmentationChanges = Readonly<Record<string, Readonly<Record<string, unknown>> | false>>;

/**
 * A description with single entries changed: `changeAugmentation(spec, { mixup: false, colorJitter: { hue: 0.1 } })`. New erasing and mixing
 * go to the end, other new ones before the first of those.
 */
export function changeAugmentation(spec: AugmentationSpec, changes: AugmentationChanges): AugmentationSpec {
  const names = Object.keys(changes);
  if (names.length === 0) return spec;
  const known = new Set(spec.steps.map((step) => step.name));
  const kept = spec.steps
    .filter((step) => changes[step.name] !== false)
    .map((step) => {
      const change = changes[step.name];
      return change === undefined || change === false ? step : { ...step, options: { ...step.options, ...change } };
    });
  const added = names
    .filter((name) => !known.has(name) && changes[name] !== false)
    .map((name): AugmentationStep => ({ name, options: changes[name] as Readonly<Record<string, unknown>> }));
  const isLate = (step: AugmentationStep): boolean => ['randomErasing', 'mixup', 'cutmix'].includes(step.name);
  const steps = [
    ...kept.filter((step) => !isLate(step)),
    ...added.filter((step) => !isLate(step)),
    ...kept.filter(isLate),
    ...added.filter(isLate),
  ];
  const preset = spec.preset === undefined ? {} : { preset: `${spec.preset.replace(/\+$/, '')}+` };
  return { ...preset, steps };
}

const show = (value: unknown): string =>
  Array.isArray(value) && value.every((x) => x === value[0])
    ? show(value[0])
    : Array.isArray(value)
      ? `${value.map(show).join('…')}`
      : typeof value === 'number'
        ? `${+value.toFixed(3)}`
        : String(value);

/** One step in words: `colorJitter(brightness 0.2, hue 0.02)`. */
function describeStep({ name, options = {}, steps }: AugmentationStep): string {
  const list = Object.entries(options).map(([key, value]) => `${key} ${show(value)}`);
  const inner = [...list, ...(steps ?? []).map(describeStep)];
  return inner.length === 0 ? name : `${name}(${inner.join(', ')})`;
}

/** A description in one line, for terminals and reports. */
export function describeAugmentation(spec: AugmentationSpec): string {
  const steps = spec.steps.length === 0 ? 'nothing' : spec.steps.map(describeStep).join(' → ');
  return spec.preset === undefined ? steps : `${spec.preset}: ${steps}`;
}
