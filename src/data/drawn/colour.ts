/** Colours of the drawn flowers: hue, saturation and lightness, because that is how gardeners vary them. */
import type { Draws } from '../random.js';

/** Hue in degrees, saturation and lightness in percent. */
export interface Colour {
  readonly h: number;
  readonly s: number;
  readonly l: number;
}

export const colour = (h: number, s: number, l: number): Colour => ({ h, s, l });

const clamp = (value: number) => Math.min(100, Math.max(0, value));

/** Moves a colour; saturation and lightness stay within their range. */
export function shift(base: Colour, h: number, s: number, l: number): Colour {
  return { h: base.h + h, s: clamp(base.s + s), l: clamp(base.l + l) };
}

/** A colour near `base`: `spread` 1 moves the hue by up to 12 degrees and the rest by up to 10 percent. */
export function vary(base: Colour, draws: Draws, spread: number): Colour {
  return shift(base, draws.uniform(-12, 12) * spread, draws.uniform(-10, 10) * spread, draws.uniform(-8, 8) * spread);
}

/** `#rrggbb`. */
export function hex({ h, s, l }: Colour): string {
  const light = l / 100;
  const chroma = (s / 100) * Math.min(light, 1 - light);
  const channel = (n: number) => {
    const k = (((n + h / 30) % 12) + 12) % 12;
    const value = light - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
