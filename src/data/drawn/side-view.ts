/** Flowers seen from their side: a tulip's cup, a spike of lavender, a stem of bluebells. The origin is the middle of what is drawn. */
import type { Draws } from '../random.js';
import { type Colour, colour, hex, shift } from './colour.js';
import { halfPetal, petal, vein } from './petals.js';
import type { SideSpecies } from './species.js';
import { type Drawing, round } from './svg.js';

const shadow = hex(colour(260, 30, 8));

function baseColour(species: SideSpecies, main: Colour): Colour {
  return shift(main, ...species.base);
}

/** Six petals that form a cup: three behind, two at the sides, one in front. */
function drawCup(drawing: Drawing, species: SideSpecies, main: Colour, radius: number, draws: Draws): void {
  const bottom = radius * 0.78;
  const open = draws.uniform(-4, 16);
  const base = baseColour(species, main);
  const fill = (lighter: number) =>
    drawing.linear(0, bottom, 0, -radius, [
      { offset: 0, colour: hex(shift(base, 0, 0, lighter - 4)) },
      { offset: 0.25, colour: hex(shift(main, 0, 0, lighter - 6)) },
      { offset: 0.75, colour: hex(shift(main, 0, 0, lighter + 2)) },
      { offset: 1, colour: hex(shift(main, 0, 0, lighter + 10)) },
    ]);
  drawing.ellipse(radius * 0.08, radius * 0.02, radius * 0.95, radius * 1.12, drawing.soft('#000000', 0.38, 0.45));
  const petals: [angle: number, length: number, halfWidth: number, lighter: number][] = [
    [-12 - open, 1.62, 0.42, -16],
    [12 + open, 1.62, 0.42, -16],
    [0, 1.66, 0.46, -12],
    [-15 - open * 1.3, 1.6, 0.46, -3],
    [15 + open * 1.3, 1.6, 0.46, -5],
    [draws.uniform(-5, 5), 1.52, 0.56, 2],
  ];
  for (const [angle, length, halfWidth, lighter] of petals) {
    const place = {
      angle: angle + draws.uniform(-2.5, 2.5),
      start: 0,
      length: length * radius * draws.uniform(0.95, 1.04),
      halfWidth: halfWidth * radius,
      // The tips of the outer petals lean back towards the middle.
      bend: -Math.sign(Math.round(angle / 8)) * 0.1,
      y: bottom,
    };
    drawing.path(
      petal('pointed', place),
      fill(lighter),
      `stroke="${hex(shift(main, 0, 0, -24))}" stroke-width="${round(radius * 0.016)}" stroke-opacity="0.6"`,
    );
    drawing.path(halfPetal('pointed', place), shadow, 'opacity="0.09"');
    drawing.stroke(
      [-0.45, -0.2, 0, 0.2, 0.45].map((at) => vein(place, at, 0.84)).join(''),
      shadow,
      radius * 0.012,
      'opacity="0.13"',
    );
  }
}

/** Whorls of small florets around a stem, smaller towards the tip. */
function drawSpike(drawing: Drawing, species: SideSpecies, main: Colour, radius: number, draws: Draws): void {
  const base = baseColour(species, main);
  const rows = 8 + draws.integer(4);
  const lean = draws.uniform(-0.12, 0.12);
  drawing.stroke(
    `M0 ${round(radius)}Q0 0 ${round(lean * radius)} ${round(-radius)}`,
    hex(species.leaf.colour),
    radius * 0.06,
  );
  for (let row = 0; row < rows; row++) {
    const t = row / (rows - 1);
    const y = radius * (0.85 - 1.85 * t ** 0.92);
    const x = lean * radius * t * t;
    const width = radius * (0.3 - 0.2 * t ** 1.6) * draws.uniform(0.9, 1.15);
    for (const side of [-1.05, 1.05, -0.6, 0.6, 0]) {
      const place = {
        angle: side * draws.uniform(48, 66) + draws.uniform(-8, 8),
        start: width * 0.15,
        length: width * draws.uniform(0.85, 1.15),
        halfWidth: width * 0.34,
        bend: 0,
        x,
        y,
      };
      const tone = shift(side === 0 ? main : base, draws.uniform(-6, 6), 0, draws.uniform(-5, 7) + t * 5);
      drawing.path(
        petal('oval', place),
        hex(tone),
        `stroke="${hex(shift(base, 0, 0, -14))}" stroke-width="${round(radius * 0.012)}"`,
      );
      if (side !== 0) {
        const tip = {
          ...place,
          start: place.start + place.length * 0.72,
          length: place.length * 0.5,
          halfWidth: place.halfWidth * 0.8,
        };
        drawing.path(petal('heart', tip), hex(shift(main, 4, 8, 10)), 'opacity="0.9"');
      }
    }
  }
}

/** A stem that nods, with bells hanging from it. */
function drawBells(drawing: Drawing, species: SideSpecies, main: Colour, radius: number, draws: Draws): void {
  const side = draws.chance(0.5) ? 1 : -1;
  const base = baseColour(species, main);
  const stem = (t: number): [number, number] => {
    const u = 1 - t;
    const points = [
      [0, 1.1],
      [-0.15, -0.3],
      [-0.05, -1.1],
      [0.75, -0.75],
    ] as const;
    const weights = [u ** 3, 3 * u * u * t, 3 * u * t * t, t ** 3];
    let x = 0;
    let y = 0;
    for (const [i, [px, py]] of points.entries()) {
      x += (weights[i] as number) * px;
      y += (weights[i] as number) * py;
    }
    return [x * radius * side, y * radius];
  };
  const start = stem(0);
  let d = `M${round(start[0])} ${round(start[1])}`;
  for (let i = 1; i <= 10; i++) {
    const [x, y] = stem(i / 10);
    d += `L${round(x)} ${round(y)}`;
  }
  drawing.stroke(d, hex(shift(species.leaf.colour, 0, 0, 4)), radius * 0.07);
  const bells = 6 + draws.integer(3);
  for (let i = 0; i < bells; i++) {
    const t = 0.42 + (0.58 * i) / (bells - 1);
    const [x, y] = stem(t);
    const outward = i % 2 === 0 ? 1 : -0.7;
    const size = radius * (0.6 - 0.2 * t) * draws.uniform(0.9, 1.1);
    const hang = draws.uniform(12, 30) * outward * side;
    drawing.group(`translate(${round(x)} ${round(y)}) rotate(${round(-hang)})`, () => {
      const fill = drawing.linear(-size * 0.4, 0, size * 0.4, 0, [
        { offset: 0, colour: hex(shift(main, 0, 0, 10)) },
        { offset: 0.45, colour: hex(main) },
        { offset: 1, colour: hex(base) },
      ]);
      const w = size * 0.36;
      const n = size * 0.2;
      const bottom = size * 0.92;
      // Shoulders, a waist, and three tips that curl outwards.
      drawing.stroke(`M0 ${round(-size * 0.06)}L0 ${round(size * 0.16)}`, hex(species.leaf.colour), radius * 0.04);
      drawing.path(
        `M${round(-n)} ${round(size * 0.2)}C${round(-n)} ${round(size * 0.02)} ${round(n)} ${round(size * 0.02)} ${round(n)} ${round(size * 0.2)}` +
          `C${round(w)} ${round(size * 0.45)} ${round(w * 0.8)} ${round(size * 0.6)} ${round(w * 1.5)} ${round(bottom)}` +
          `Q${round(w * 0.7)} ${round(bottom * 0.9)} ${round(w * 0.5)} ${round(bottom * 0.86)}Q${round(w * 0.2)} ${round(bottom * 1.1)} 0 ${round(bottom * 1.1)}` +
          `Q${round(-w * 0.2)} ${round(bottom * 1.1)} ${round(-w * 0.5)} ${round(bottom * 0.86)}Q${round(-w * 0.7)} ${round(bottom * 0.9)} ${round(-w * 1.5)} ${round(bottom)}` +
          `C${round(-w * 0.8)} ${round(size * 0.6)} ${round(-w)} ${round(size * 0.45)} ${round(-n)} ${round(size * 0.2)}Z`,
        fill,
        `stroke="${hex(shift(base, 0, 0, -16))}" stroke-width="${round(radius * 0.016)}" stroke-opacity="0.7"`,
      );
      drawing.stroke(
        `M${round(-w * 0.35)} ${round(size * 0.2)}Q${round(-w * 0.6)} ${round(size * 0.5)} ${round(-w * 0.5)} ${round(bottom * 0.84)}M${round(w * 0.35)} ${round(size * 0.2)}Q${round(w * 0.6)} ${round(size * 0.5)} ${round(w * 0.5)} ${round(bottom * 0.84)}`,
        shadow,
        radius * 0.014,
        'opacity="0.22"',
      );
    });
  }
}

/** Draws the flower around the origin, upright. */
export function drawFromSide(drawing: Drawing, species: SideSpecies, main: Colour, radius: number, draws: Draws): void {
  if (species.view === 'cup') drawCup(drawing, species, main, radius, draws);
  else if (species.view === 'spike') drawSpike(drawing, species, main, radius, draws);
  else drawBells(drawing, species, main, radius, draws);
}

/** Where the stem of a flower begins, relative to its middle, in units of its radius. */
export function stemBase(view: SideSpecies['view']): number {
  return view === 'cup' ? 0.72 : view === 'bells' ? 1.05 : 0.98;
}
