/** What is behind the flowers: a sky, grass, soil, leaves, or a garden out of focus. */
import type { Draws } from '../random.js';
import { type Colour, colour, hex, shift, vary } from './colour.js';
import { petal } from './petals.js';
import { type Drawing, round } from './svg.js';

export const backgrounds = ['garden', 'sky', 'grass', 'soil', 'leaves', 'dusk'] as const;
export type Background = (typeof backgrounds)[number];

/** Discs of light out of focus. */
function bokeh(drawing: Drawing, tones: readonly Colour[], count: number, opacity: number, draws: Draws): void {
  const fills = tones.flatMap((tone) => [
    drawing.soft(hex(tone), opacity, 0.2),
    drawing.soft(hex(tone), opacity * 0.7, 0.82),
  ]);
  for (let i = 0; i < count; i++) {
    const radius = draws.uniform(5, 24);
    drawing.circle(
      draws.uniform(-5, 105),
      draws.uniform(-5, 105),
      radius,
      fills[draws.integer(fills.length)] as string,
    );
  }
}

function garden(drawing: Drawing, draws: Draws): void {
  const base = vary(colour(105, 38, 34), draws, 1.5);
  drawing.rectangle(
    drawing.linear(0, 0, draws.uniform(-30, 30), 100, [
      { offset: 0, colour: hex(shift(base, -14, 4, draws.uniform(4, 20))) },
      { offset: 0.6, colour: hex(base) },
      { offset: 1, colour: hex(shift(base, 12, -6, -14)) },
    ]),
  );
  const accent = colour(draws.uniform(0, 360), 55, 70);
  const tones = [colour(78, 50, 62), colour(120, 35, 24), colour(62, 62, 74), colour(150, 30, 30), accent];
  bokeh(drawing, tones, 16 + draws.integer(10), 0.5, draws);
}

function dusk(drawing: Drawing, draws: Draws): void {
  const base = vary(colour(draws.chance(0.5) ? 265 : 205, 26, 26), draws, 1);
  drawing.rectangle(
    drawing.linear(0, 0, 20, 100, [
      { offset: 0, colour: hex(shift(base, 30, 14, 18)) },
      { offset: 0.55, colour: hex(base) },
      { offset: 1, colour: hex(shift(base, -40, -4, -12)) },
    ]),
  );
  bokeh(drawing, [colour(28, 80, 64), colour(320, 40, 55), colour(200, 40, 45), colour(140, 25, 22)], 14, 0.42, draws);
}

function sky(drawing: Drawing, draws: Draws): void {
  const top = vary(colour(208, 62, 58), draws, 0.9);
  drawing.rectangle(
    drawing.linear(0, 0, 0, 100, [
      { offset: 0, colour: hex(top) },
      { offset: 0.75, colour: hex(shift(top, -8, -8, 22)) },
      { offset: 1, colour: hex(shift(top, -20, -20, 30)) },
    ]),
  );
  const cloud = drawing.soft('#ffffff', 0.75, 0.15);
  for (let i = 1 + draws.integer(3); i > 0; i--) {
    const x = draws.uniform(0, 100);
    const y = draws.uniform(5, 50);
    for (let puff = 0; puff < 6; puff++) {
      drawing.ellipse(
        x + draws.uniform(-18, 18),
        y + draws.uniform(-4, 4),
        draws.uniform(8, 18),
        draws.uniform(4, 8),
        cloud,
      );
    }
  }
  for (let ridge = 0; ridge < 2; ridge++) {
    const y = draws.uniform(72, 82) + ridge * 9;
    const tone = vary(colour(110 - ridge * 10, 30 + ridge * 12, 58 - ridge * 16), draws, 0.6);
    drawing.path(
      `M0 ${round(y)}Q${round(draws.uniform(15, 40))} ${round(y - draws.uniform(3, 12))} 55 ${round(y)}T100 ${round(y - 3)}V100H0Z`,
      hex(tone),
    );
  }
}

/** Blades that rise from the lower edge, the farthest first. */
export function blades(drawing: Drawing, count: number, base: Colour, low: number, high: number, draws: Draws): void {
  for (let i = 0; i < count; i++) {
    const near = i / count;
    const x = draws.uniform(-8, 108);
    const height = draws.uniform(low, high);
    const lean = draws.uniform(-22, 22);
    const width = 0.9 + near * 1.5;
    const tone = shift(base, draws.uniform(-14, 10), draws.uniform(-8, 8), -10 + near * 16 + draws.uniform(-6, 6));
    const top = 104 - height;
    drawing.path(
      `M${round(x - width)} 104Q${round(x - width + lean * 0.2)} ${round(104 - height * 0.6)} ${round(x + lean)} ${round(top)}Q${round(x + width + lean * 0.25)} ${round(104 - height * 0.5)} ${round(x + width)} 104Z`,
      hex(tone),
    );
  }
}

function grass(drawing: Drawing, draws: Draws): void {
  const base = vary(colour(98, 45, 34), draws, 0.9);
  drawing.rectangle(
    drawing.linear(0, 0, 0, 100, [
      { offset: 0, colour: hex(shift(base, -16, 0, 22)) },
      { offset: 0.5, colour: hex(shift(base, -4, 0, 2)) },
      { offset: 1, colour: hex(shift(base, 6, 0, -16)) },
    ]),
  );
  bokeh(drawing, [colour(72, 55, 66), colour(110, 40, 26)], 7, 0.35, draws);
  blades(drawing, 46, base, 25, 95, draws);
}

function soil(drawing: Drawing, draws: Draws): void {
  const base = vary(colour(26, 32, 27), draws, 0.8);
  drawing.rectangle(
    drawing.radial(draws.uniform(20, 80), draws.uniform(10, 60), 95, [
      { offset: 0, colour: hex(shift(base, 4, 2, 9)) },
      { offset: 1, colour: hex(shift(base, -4, 0, -8)) },
    ]),
  );
  for (let i = 0; i < 70; i++) {
    const x = draws.uniform(0, 100);
    const y = draws.uniform(0, 100);
    const r = draws.uniform(0.6, 3.4);
    const tone = shift(base, draws.uniform(-8, 14), draws.uniform(-16, 8), draws.uniform(-12, 16));
    drawing.ellipse(x + r * 0.2, y + r * 0.35, r, r * 0.75, '#0c0805', 'opacity="0.45"');
    drawing.ellipse(x, y, r, r * draws.uniform(0.6, 0.9), hex(tone));
  }
}

function leaves(drawing: Drawing, draws: Draws): void {
  const base = vary(colour(118, 36, 20), draws, 0.9);
  drawing.rectangle(hex(shift(base, 0, 0, -8)));
  for (let i = 0; i < 26; i++) {
    const place = {
      angle: draws.uniform(0, 360),
      start: 0,
      length: draws.uniform(24, 44),
      halfWidth: draws.uniform(7, 13),
      bend: draws.uniform(-0.12, 0.12),
      x: draws.uniform(-5, 105),
      y: draws.uniform(-5, 105),
    };
    const tone = shift(base, draws.uniform(-14, 14), draws.uniform(-6, 10), -6 + i * 0.7 + draws.uniform(-3, 5));
    const shape = draws.chance(0.6) ? 'oval' : 'pointed';
    drawing.path(petal(shape, place), hex(tone), `stroke="${hex(shift(tone, 0, 0, -9))}" stroke-width="0.5"`);
    const radians = (place.angle * Math.PI) / 180;
    drawing.stroke(
      `M${round(place.x)} ${round(place.y)}L${round(place.x + Math.sin(radians) * place.length * 0.9)} ${round(place.y - Math.cos(radians) * place.length * 0.9)}`,
      hex(shift(tone, 4, 0, 11)),
      0.5,
      'opacity="0.6"',
    );
  }
}

const painters: Readonly<Record<Background, (drawing: Drawing, draws: Draws) => void>> = {
  garden,
  sky,
  grass,
  soil,
  leaves,
  dusk,
};

export function drawBackground(drawing: Drawing, kind: Background, draws: Draws): void {
  painters[kind](drawing, draws);
}
