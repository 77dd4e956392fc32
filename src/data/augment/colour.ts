/** Random changes of colour. Names and defaults are torchvision's. */
import { colourShape, type Group, mapGroups } from './functional/blocks.js';
import {
  brightnessKernel,
  type ColourKernel,
  contrastKernel,
  hueKernel,
  limitsOf,
  rgbToGrayscale,
  saturationKernel,
} from './functional/colour.js';
import { known, number, probability, type Range, range } from './options.js';
import { type Augmentation, augmentation, chosenRows, onRows, withInput } from './transform.js';

export interface ColorJitterOptions {
  /** Factors from 1 − x (at least 0) to 1 + x, or from a range. */
  readonly brightness?: number | Range;
  readonly contrast?: number | Range;
  readonly saturation?: number | Range;
  /** Turns from −x to x (at most 0.5), or from a range. */
  readonly hue?: number | Range;
}

interface Jitter {
  readonly kernel: ColourKernel;
  readonly range: Range;
}

const parts: readonly { readonly name: keyof ColorJitterOptions; readonly kernel: ColourKernel }[] = [
  { name: 'brightness', kernel: brightnessKernel },
  { name: 'contrast', kernel: contrastKernel },
  { name: 'saturation', kernel: saturationKernel },
  { name: 'hue', kernel: hueKernel },
];

/** The range to draw from, or null where nothing would change. */
function jitterRange(title: string, name: keyof ColorJitterOptions, value: number | Range | undefined): Range | null {
  if (value === undefined) return null;
  const [center, low, high] = name === 'hue' ? [0, -0.5, 0.5] : [1, 0, Number.POSITIVE_INFINITY];
  let found: Range;
  if (typeof value === 'number') {
    number(title, name, value, 0, name === 'hue' ? 0.5 : high);
    found = [Math.max(low, center - value), center + value];
  } else found = range(title, name, value, low, high);
  return found[0] === center && found[1] === center ? null : found;
}

/** Brightness, contrast, saturation and hue, changed by random amounts in a random order, each drawn for each picture. */
export function colorJitter(options?: ColorJitterOptions): Augmentation {
  const title = 'colorJitter()';
  const given = known(
    title,
    options,
    parts.map((part) => part.name),
  );
  const jitters: (Jitter | null)[] = parts.map(({ name, kernel }) => {
    const found = jitterRange(title, name, given[name]);
    return found === null ? null : { kernel, range: found };
  });
  return augmentation('colorJitter', { ...given }, (batch, draws) => {
    const shape = colourShape(batch.input, title);
    if (jitters.every((x) => x === null)) return batch;
    const limits = limitsOf(batch.input);
    const factors: number[][] = [];
    // Pictures that change in the same order are done together.
    const orders = new Map<string, number[]>();
    for (let row = 0; row < shape.count; row++) {
      const own = draws(row);
      const order = [0, 1, 2, 3];
      for (let i = 3; i > 0; i--) {
        const j = own.integer(i + 1);
        [order[i], order[j]] = [order[j] as number, order[i] as number];
      }
      factors.push(jitters.map((x) => (x === null ? 0 : own.uniform(x.range[0], x.range[1]))));
      const key = order.filter((i) => jitters[i] !== null).join('');
      const rows = orders.get(key);
      if (rows === undefined) orders.set(key, [row]);
      else rows.push(row);
    }
    const groups = [...orders].map(
      ([key, rows]): Group => ({
        rows,
        kernel: (planes, some) => {
          for (const digit of key) {
            const i = Number(digit);
            (jitters[i] as Jitter).kernel(
              planes,
              some.map((row) => (factors[row] as number[])[i] as number),
              limits,
            );
          }
        },
      }),
    );
    return withInput(batch, mapGroups(batch.input, shape, groups));
  });
}

/** Makes pictures black and white with chance p (default 0.1). */
export function randomGrayscale(options?: { readonly p?: number }): Augmentation {
  const title = 'randomGrayscale()';
  const p = probability(title, known(title, options, ['p']).p ?? 0.1);
  return augmentation('randomGrayscale', { p }, (batch, draws) => {
    const { count } = colourShape(batch.input, title);
    return withInput(batch, onRows(batch.input, chosenRows(count, draws, p), rgbToGrayscale));
  });
}
