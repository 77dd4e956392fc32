/** Composes one picture: a background, stems and leaves, flowers, things in the way, and the light of the hour. */
import type { Draws } from '../random.js';
import { type Background, backgrounds, blades, drawBackground } from './background.js';
import { drawBlossom } from './blossom.js';
import { type Colour, colour, hex, shift, vary } from './colour.js';
import { halfPetal, petal, vein } from './petals.js';
import { drawFromSide, stemBase } from './side-view.js';
import { allSpecies, type Species } from './species.js';
import { Drawing, round } from './svg.js';

interface Plant {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly turn: number;
  /** Ratio of height to width of a flower that is not seen straight on. */
  readonly tilt: number;
  readonly colour: Colour;
}

/** A drawn picture before it is rendered. */
export interface Scene {
  readonly svg: string;
  /** Blur of the lens: standard deviation in units of the picture's width. */
  readonly blur: number;
  /** Standard deviation of the sensor's noise, in units of 0…1. */
  readonly noise: number;
}

/** Colours that gardeners breed into most flowers sooner or later. */
const cultivars: readonly Colour[] = [
  colour(48, 25, 94),
  colour(336, 66, 70),
  colour(352, 80, 46),
  colour(20, 88, 56),
  colour(47, 92, 56),
  colour(280, 46, 54),
];

function pickColour(species: Species, difficulty: number, draws: Draws): Colour {
  // Even the easy set has more than one colour per species, or a colour histogram would do.
  const bred = draws.chance(0.55 * difficulty);
  const typical = species.colours.length === 1 || !draws.chance(0.25 + 0.55 * difficulty);
  const others = bred ? cultivars : typical ? species.colours.slice(0, 1) : species.colours.slice(1);
  return vary(others[draws.integer(others.length)] as Colour, draws, 0.35 + 0.9 * difficulty);
}

function placePlants(species: Species, difficulty: number, draws: Draws): Plant[] {
  const scale = draws.uniform(1.12 - 0.45 * difficulty, 1.22);
  const main = pickColour(species, difficulty, draws);
  const several = draws.chance(0.3 + 0.35 * difficulty);
  const count = several ? 1 + draws.integer(3) + (species.size < 28 ? 1 : 0) : 0;
  const reach = 3 + 17 * difficulty;
  const make = (x: number, y: number, radius: number): Plant => ({
    x,
    y,
    radius,
    turn: species.view === 'open' ? draws.uniform(0, 360) : draws.normal() * (5 + 9 * difficulty),
    tilt: species.view === 'open' ? 1 - draws.uniform(0, 0.12 + 0.4 * difficulty) : 1,
    colour: vary(main, draws, 0.2),
  });
  const plants: Plant[] = [];
  const middle = make(
    50 + draws.uniform(-reach, reach),
    47 + draws.uniform(-reach, reach) * 0.8,
    species.size * scale * (several ? 0.88 : 1.06),
  );
  // Companions are smaller, so they stand farther away and are drawn first.
  for (let i = 0; i < count; i++) {
    const angle = draws.uniform(0, 2 * Math.PI);
    const away = draws.uniform(30, 48);
    const x = middle.x + away * Math.cos(angle);
    const y = middle.y + away * Math.sin(angle) * 0.85;
    plants.push(make(x, y, middle.radius * draws.uniform(0.5, 0.82)));
  }
  plants.sort((a, b) => a.radius - b.radius);
  plants.push(middle);
  return plants;
}

function drawLeaf(
  drawing: Drawing,
  species: Species,
  at: { x: number; y: number; angle: number },
  radius: number,
  draws: Draws,
): void {
  const { leaf } = species;
  const tone = vary(leaf.colour, draws, 0.5);
  const place = {
    ...at,
    start: 0,
    length: leaf.length * radius * draws.uniform(0.8, 1.1),
    halfWidth: leaf.halfWidth * radius * draws.uniform(0.85, 1.1),
    bend: draws.uniform(-0.14, 0.14),
  };
  drawing.path(petal(leaf.shape, place), hex(tone), `stroke="${hex(shift(tone, 0, 0, -10))}" stroke-width="0.4"`);
  drawing.path(halfPetal(leaf.shape, place), '#04140a', 'opacity="0.16"');
  drawing.stroke(
    [-0.5, 0, 0.5].map((side) => vein(place, side, 0.85 - Math.abs(side) * 0.3)).join(''),
    hex(shift(tone, 6, 0, 14)),
    0.45,
    'opacity="0.55"',
  );
}

/** Stem and leaves of one plant, behind its flower. */
function drawGreen(drawing: Drawing, species: Species, plant: Plant, standing: boolean, draws: Draws): void {
  const { x, y, radius } = plant;
  if (!standing) {
    // Seen from above: leaves look out from under the flower.
    const count = species.leaf.length > 1.4 ? 3 : 4 + draws.integer(3);
    const turn = draws.uniform(0, 360);
    for (let i = 0; i < count; i++) {
      const angle = turn + (360 / count) * i + draws.uniform(-20, 20);
      drawLeaf(drawing, species, { x, y, angle }, radius * (species.leaf.length > 1.4 ? 0.95 : 1.5), draws);
    }
    return;
  }
  const tone = shift(species.leaf.colour, -6, 4, 4);
  const from = species.view === 'open' ? 0 : stemBase(species.view) * radius;
  const turn = species.view === 'open' ? 0 : (plant.turn * Math.PI) / 180;
  const startX = x - Math.sin(turn) * from;
  const startY = y + Math.cos(turn) * from;
  const footX = x + draws.uniform(-12, 12);
  const bend = draws.uniform(-7, 7);
  const d = `M${round(startX)} ${round(startY)}Q${round((startX + footX) / 2 + bend)} ${round((startY + 112) / 2)} ${round(footX)} 112`;
  const width = Math.max(1, radius * 0.085);
  const leavesFrom = Math.max(startY + radius * 0.2, 62);
  for (let i = 0; i < 2 + draws.integer(2); i++) {
    const angle = (i % 2 === 0 ? 1 : -1) * draws.uniform(24, 62);
    const long = species.leaf.length > 1.4;
    drawLeaf(
      drawing,
      species,
      { x: footX + bend * 0.4, y: long ? 108 : draws.uniform(leavesFrom, 104), angle: long ? angle * 0.5 : angle },
      radius,
      draws,
    );
  }
  drawing.stroke(d, hex(shift(tone, 0, 0, -9)), width);
  drawing.stroke(d, hex(shift(tone, 0, 0, 8)), width * 0.4, `transform="translate(${round(-width * 0.15)} 0)"`);
}

function drawFlower(drawing: Drawing, species: Species, plant: Plant, draws: Draws): void {
  const { x, y, turn, tilt } = plant;
  if (species.view === 'open') {
    // Tilted as seen by the viewer, then turned in its own plane. A face such as a pansy's stays upright.
    const upright = species.name === 'pansy' || species.name === 'hibiscus';
    const inner = upright ? draws.normal() * 14 : turn;
    const lean = draws.uniform(-40, 40);
    drawing.group(
      `translate(${round(x)} ${round(y)}) rotate(${round(lean)}) scale(1 ${round(tilt)}) rotate(${round(inner - lean)})`,
      () => drawBlossom(drawing, species, plant.colour, plant.radius, draws),
    );
  } else {
    drawing.group(`translate(${round(x)} ${round(y)}) rotate(${round(turn)})`, () =>
      drawFromSide(drawing, species, plant.colour, plant.radius, draws),
    );
  }
}

/** Blurred spots in other flowers' colours, far behind. */
function drawDistant(drawing: Drawing, species: Species, draws: Draws): void {
  const others = allSpecies.filter(({ name }) => name !== species.name);
  const other = others[draws.integer(others.length)] as Species;
  const tone = other.colours[draws.integer(other.colours.length)] as Colour;
  const fill = drawing.soft(hex(shift(tone, 0, -10, 0)), 0.7, 0.45);
  for (let i = 2 + draws.integer(4); i > 0; i--) {
    const radius = draws.uniform(4, 10);
    drawing.ellipse(draws.uniform(0, 100), draws.uniform(10, 95), radius, radius * draws.uniform(0.6, 1), fill);
  }
}

/** What is in the way: blades, or a leaf out of focus in a corner. */
function drawForeground(drawing: Drawing, difficulty: number, draws: Draws): void {
  if (draws.chance(0.2 + 0.5 * difficulty)) {
    blades(
      drawing,
      3 + draws.integer(4 + Math.round(8 * difficulty)),
      colour(100, 46, 34),
      18,
      34 + 46 * difficulty,
      draws,
    );
  }
  if (draws.chance(0.15 + 0.5 * difficulty)) {
    const fill = drawing.soft(hex(vary(colour(110, 40, 30), draws, 1.5)), 0.85, 0.5);
    const left = draws.chance(0.5);
    const wide = draws.uniform(14, 22 + 16 * difficulty);
    const y = draws.uniform(20, 100);
    drawing.ellipse(
      left ? 0 : 100,
      y,
      wide,
      wide * draws.uniform(1, 1.8),
      fill,
      `transform="rotate(${round(draws.uniform(-25, 25))} ${left ? 0 : 100} ${round(y)})"`,
    );
  }
}

/** A side that is lit, one that is not, the colour of the hour, and a lens that darkens towards the corners. */
function drawLight(drawing: Drawing, difficulty: number, draws: Draws): void {
  const strength = 0.1 + 0.3 * difficulty;
  const angle = draws.uniform(0, 2 * Math.PI);
  const dx = 60 * Math.cos(angle);
  const dy = 60 * Math.sin(angle);
  drawing.rectangle(
    drawing.linear(50 - dx, 50 - dy, 50 + dx, 50 + dy, [
      { offset: 0, colour: '#fff6d8', opacity: draws.uniform(0.3, 1) * strength },
      { offset: 0.5, colour: '#888060', opacity: 0 },
      { offset: 1, colour: '#06061c', opacity: draws.uniform(0.4, 1.3) * strength },
    ]),
  );
  const cast = draws.chance(0.5) ? colour(34, 80, 60) : colour(215, 60, 55);
  drawing.rectangle(hex(cast), `opacity="${round(draws.uniform(0, 0.06 + 0.18 * difficulty))}"`);
  drawing.rectangle(
    drawing.radial(50, 50, 78, [
      { offset: 0.55, colour: '#000000', opacity: 0 },
      { offset: 1, colour: '#000000', opacity: draws.uniform(0.1, 0.4) },
    ]),
  );
  // Over- and underexposed pictures.
  if (draws.chance(0.6 * difficulty)) {
    drawing.rectangle(
      draws.chance(0.5) ? '#ffffff' : '#000000',
      `opacity="${round(draws.uniform(0, 0.34 * difficulty))}"`,
    );
  }
}

/**
 * One picture of a species.
 * @param difficulty 0: large, centred, in typical colours; 1: small, tilted, hidden, badly lit, in any colour
 * @param draws what is random about the picture
 */
export function composeScene(
  species: Species,
  options: { size: number; difficulty: number; noise: number },
  draws: Draws,
): Scene {
  const { size, difficulty, noise } = options;
  const drawing = new Drawing();
  const background = backgrounds[draws.integer(backgrounds.length)] as Background;
  drawBackground(drawing, background, draws);
  if (draws.chance(0.15 + 0.6 * difficulty)) drawDistant(drawing, species, draws);
  const above = background === 'soil' || background === 'leaves';
  const standing = species.view !== 'open' || !above;
  for (const plant of placePlants(species, difficulty, draws)) {
    drawGreen(drawing, species, plant, standing, draws);
    drawFlower(drawing, species, plant, draws);
  }
  drawForeground(drawing, difficulty, draws);
  drawLight(drawing, difficulty, draws);
  return {
    svg: drawing.toSvg(size),
    blur: draws.uniform(0, 0.008) * difficulty,
    noise: noise * draws.uniform(0.5, 1.5),
  };
}
