/** A flower one looks into: rings of petals around a centre. The origin is the middle, lengths are in units of the drawing. */
import type { Draws } from '../random.js';
import { drawCentre } from './centre.js';
import { type Colour, colour, hex, shift } from './colour.js';
import { halfPetal, type Placement, petal, vein } from './petals.js';
import type { OpenSpecies, Ring } from './species.js';
import type { Drawing } from './svg.js';

const shade = hex(colour(260, 30, 8));

interface Petal {
  readonly place: Placement;
  readonly shape: Ring['shape'];
  readonly fill: string;
  readonly edge: string;
}

/** A pansy's face: two petals behind, two at the sides, the broad one below in front. */
const face: readonly (readonly [angle: number, length: number, halfWidth: number, lightness: number])[] = [
  [-24, 0.98, 0.54, -10],
  [24, 0.98, 0.54, -10],
  [-88, 0.9, 0.48, 0],
  [88, 0.9, 0.48, 0],
  [180, 0.94, 0.66, 3],
];

/** Places the petals of all rings, the outermost first. */
function placePetals(drawing: Drawing, species: OpenSpecies, main: Colour, radius: number, draws: Draws): Petal[] {
  const petals: Petal[] = [];
  const [hue, saturation, lightness] = species.base;
  // Each ring goes from dark at its base to light at its own rim, which is what gives the flower depth.
  const ringFill = (lighter: number, reach: number) => {
    const tip = shift(main, 0, 0, lighter);
    const stops = [
      { offset: 0.08, colour: hex(shift(tip, hue, saturation, lightness)) },
      { offset: 0.5, colour: hex(shift(tip, hue * 0.3, 0, lightness * 0.25)) },
      { offset: 0.85, colour: hex(tip) },
      { offset: 1, colour: hex(shift(tip, 0, 0, 4)) },
    ];
    return { fill: drawing.radial(0, 0, reach * radius, stops), edge: hex(shift(tip, 0, 0, -22)) };
  };
  if (species.name === 'pansy') {
    for (const [angle, length, halfWidth, lighter] of face) {
      const place = {
        angle: angle + draws.uniform(-5, 5),
        start: radius * 0.02,
        length: radius * length * draws.uniform(0.94, 1.06),
        halfWidth: radius * halfWidth * draws.uniform(0.94, 1.06),
        bend: draws.uniform(-0.03, 0.03),
      };
      petals.push({ place, shape: 'fan', ...ringFill(lighter, 1) });
    }
    return petals;
  }
  let offset = draws.uniform(0, 360);
  for (const ring of species.rings) {
    const count = ring.count[0] + draws.integer(ring.count[1] - ring.count[0] + 1);
    const { fill, edge } = ringFill(ring.lightness ?? 0, ring.start + ring.length);
    const twist = (ring.bend ?? 0) * (draws.chance(0.5) ? 1 : -1);
    const loose = ring.shape === 'wheel' ? 0.1 : 0.22;
    // Petals of one ring lie over each other in no particular order.
    const first = draws.integer(count);
    for (let i = 0; i < count; i++) {
      const step = 360 / count;
      const place = {
        angle: offset + ((i + first) % count) * step + draws.uniform(-loose, loose) * step,
        start: ring.start * radius,
        length: ring.length * radius * draws.uniform(0.9, 1.06),
        halfWidth: ring.halfWidth * radius * draws.uniform(0.88, 1.12),
        bend: twist + draws.uniform(-0.05, 0.05),
      };
      petals.push({ place, shape: ring.shape, fill, edge });
    }
    offset += 180 / count + draws.uniform(-0.1, 0.1) * (360 / count);
  }
  return petals;
}

/** What lies on one petal: a fold, veins, freckles, a dark base. */
function drawMarks(
  drawing: Drawing,
  species: OpenSpecies,
  { place, shape }: Petal,
  radius: number,
  draws: Draws,
): void {
  const side = Math.sin(((place.angle + 30) * Math.PI) / 180) > 0 ? 0.16 : 0.07;
  drawing.path(halfPetal(shape, place), shade, `opacity="${side}"`);
  if (place.halfWidth < radius * 0.2 && species.marks === undefined) return;
  const { marks } = species;
  if (marks === undefined || marks.kind === 'veins') {
    const d = [-0.45, 0, 0.45].map((at) => vein(place, at, 0.8 - Math.abs(at) * 0.25)).join('');
    drawing.stroke(
      d,
      marks === undefined ? shade : hex(marks.colour),
      radius * 0.014,
      `opacity="${marks === undefined ? 0.13 : 0.35}"`,
    );
  } else if (marks.kind === 'blotch') {
    const base = { ...place, length: place.length * 0.36, halfWidth: place.halfWidth * 0.4 };
    drawing.path(petal('fan', base), hex(marks.colour), 'opacity="0.8"');
    drawing.stroke(
      [-0.7, -0.35, 0, 0.35, 0.7].map((at) => vein(place, at, 0.86)).join(''),
      shade,
      radius * 0.012,
      'opacity="0.16"',
    );
  } else if (marks.kind === 'whiskers') {
    const blot = { ...place, length: place.length * 0.5, halfWidth: place.halfWidth * 0.62 };
    const behind = Math.abs(place.angle) < 45;
    if (!behind) drawing.path(petal('toothed', blot), hex(marks.colour), 'opacity="0.62"');
    drawing.stroke(
      [-0.5, -0.25, 0, 0.25, 0.5].map((at) => vein(place, at, behind ? 0.5 : 0.66)).join(''),
      hex(marks.colour),
      radius * 0.022,
      'opacity="0.55"',
    );
  } else {
    drawing.stroke(vein(place, 0, 0.85), shade, radius * 0.02, 'opacity="0.2"');
    for (let i = 0; i < 7; i++) {
      const t = draws.uniform(0.22, 0.62);
      const spot = { ...place, length: 0, halfWidth: 0 };
      const radians = (spot.angle * Math.PI) / 180;
      const across = draws.uniform(-0.5, 0.5) * place.halfWidth + place.bend * place.length * t * t;
      const along = place.start + t * place.length;
      const x = across * Math.cos(radians) + along * Math.sin(radians);
      const y = across * Math.sin(radians) - along * Math.cos(radians);
      drawing.circle(x, y, radius * draws.uniform(0.014, 0.026), hex(marks.colour), 'opacity="0.75"');
    }
  }
}

/**
 * Draws the flower around the origin.
 * @param main colour of the petals' tips
 * @param radius in units of the drawing
 */
export function drawBlossom(drawing: Drawing, species: OpenSpecies, main: Colour, radius: number, draws: Draws): void {
  const petals = placePetals(drawing, species, main, radius, draws);
  // A soft shadow behind the whole flower lifts it off the background.
  drawing.circle(radius * 0.06, radius * 0.1, radius * 1.08, drawing.soft('#000000', 0.42, 0.5));
  for (const one of petals) {
    drawing.path(
      petal(one.shape, one.place),
      one.fill,
      `stroke="${one.edge}" stroke-width="${Math.round(radius * 1.6) / 100}" stroke-opacity="0.55"`,
    );
    drawMarks(drawing, species, one, radius, draws);
  }
  drawCentre(drawing, species.centre, main, radius, draws);
}
