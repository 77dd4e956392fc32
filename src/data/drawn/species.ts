/** The species of the drawn flower set: what a gardener would say about each, in numbers. */
import { type Colour, colour } from './colour.js';
import type { PetalShape } from './petals.js';

/** One ring of petals seen from above; lengths are in units of the flower's radius. */
export interface Ring {
  /** Fewest and most petals. */
  readonly count: readonly [number, number];
  readonly shape: PetalShape;
  readonly start: number;
  readonly length: number;
  readonly halfWidth: number;
  /** Darker or lighter than the flower's colour, in percent of lightness. */
  readonly lightness?: number;
  readonly bend?: number;
}

export type Centre =
  | { readonly kind: 'dome'; readonly radius: number; readonly colour: Colour; readonly rim: Colour }
  | { readonly kind: 'seeds'; readonly radius: number; readonly colour: Colour; readonly rim: Colour }
  | {
      readonly kind: 'stamens';
      readonly radius: number;
      readonly colour: Colour;
      readonly tips: Colour;
      readonly count: number;
    }
  | { readonly kind: 'eye'; readonly radius: number; readonly colour: Colour; readonly rim: Colour }
  | { readonly kind: 'trumpet'; readonly radius: number; readonly colour: Colour; readonly rim: Colour }
  | { readonly kind: 'column'; readonly radius: number; readonly colour: Colour; readonly rim: Colour }
  | { readonly kind: 'whorl'; readonly radius: number };

export interface Marks {
  /** `veins` run along each petal, `spots` are freckles, `blotch` a dark base, `whiskers` fine lines around the centre. */
  readonly kind: 'veins' | 'spots' | 'blotch' | 'whiskers';
  readonly colour: Colour;
}

export interface LeafForm {
  readonly shape: PetalShape;
  /** In units of the flower's radius. */
  readonly length: number;
  readonly halfWidth: number;
  readonly colour: Colour;
}

interface SpeciesBase {
  readonly name: string;
  /** The colours it comes in; the first is the most typical one. */
  readonly colours: readonly Colour[];
  /** What the colour becomes at the base of the petals: hue, saturation, lightness added. */
  readonly base: readonly [number, number, number];
  readonly leaf: LeafForm;
  /** Radius in units of 100 for a flower that fills the picture; small flowers come in larger numbers. */
  readonly size: number;
}

/** Drawn as one looks into it. */
export interface OpenSpecies extends SpeciesBase {
  readonly view: 'open';
  readonly rings: readonly Ring[];
  readonly centre: Centre;
  readonly marks?: Marks;
}

/** Drawn from its side. */
export interface SideSpecies extends SpeciesBase {
  readonly view: 'cup' | 'spike' | 'bells';
}

export type Species = OpenSpecies | SideSpecies;

const green = colour(105, 42, 33);
const blueGreen = colour(140, 28, 38);
const brightGreen = colour(92, 50, 38);
const yellow = colour(48, 96, 54);

/** In the order in which `species: n` takes them: the first few differ most. */
export const allSpecies: readonly Species[] = [
  {
    name: 'daisy',
    view: 'open',
    colours: [colour(50, 20, 97), colour(335, 60, 92), colour(300, 30, 94)],
    base: [0, 0, -8],
    rings: [
      { count: [15, 21], shape: 'spatula', start: 0.16, length: 0.84, halfWidth: 0.12, lightness: -7 },
      { count: [13, 18], shape: 'spatula', start: 0.16, length: 0.78, halfWidth: 0.115 },
    ],
    centre: { kind: 'dome', radius: 0.26, colour: yellow, rim: colour(36, 90, 42) },
    leaf: { shape: 'spatula', length: 0.9, halfWidth: 0.2, colour: green },
    size: 30,
  },
  {
    name: 'tulip',
    view: 'cup',
    colours: [colour(352, 82, 48), colour(330, 70, 62), colour(46, 92, 55), colour(285, 45, 42), colour(18, 88, 55)],
    base: [8, 5, 14],
    leaf: { shape: 'pointed', length: 2.3, halfWidth: 0.24, colour: blueGreen },
    size: 30,
  },
  {
    name: 'sunflower',
    view: 'open',
    colours: [colour(45, 97, 53), colour(40, 96, 50), colour(28, 88, 46)],
    base: [-14, 0, -8],
    rings: [
      { count: [16, 22], shape: 'pointed', start: 0.4, length: 0.6, halfWidth: 0.115, lightness: -8 },
      { count: [15, 21], shape: 'pointed', start: 0.38, length: 0.54, halfWidth: 0.115 },
    ],
    centre: { kind: 'seeds', radius: 0.45, colour: colour(24, 55, 20), rim: colour(30, 60, 30) },
    leaf: { shape: 'heart', length: 1, halfWidth: 0.42, colour: green },
    size: 36,
  },
  {
    name: 'rose',
    view: 'open',
    colours: [colour(350, 78, 46), colour(342, 70, 70), colour(36, 70, 82), colour(46, 85, 66), colour(16, 80, 66)],
    base: [-5, 6, -24],
    rings: [
      { count: [5, 6], shape: 'fan', start: 0.1, length: 0.88, halfWidth: 0.52, lightness: -6 },
      { count: [5, 6], shape: 'fan', start: 0.06, length: 0.72, halfWidth: 0.45, lightness: 0 },
      { count: [4, 5], shape: 'fan', start: 0.03, length: 0.55, halfWidth: 0.4, lightness: 4 },
    ],
    centre: { kind: 'whorl', radius: 0.4 },
    leaf: { shape: 'oval', length: 0.85, halfWidth: 0.3, colour: colour(125, 38, 26) },
    size: 30,
  },
  {
    name: 'cornflower',
    view: 'open',
    colours: [colour(225, 78, 56), colour(240, 62, 60), colour(318, 58, 62)],
    base: [14, 0, -14],
    rings: [
      { count: [9, 11], shape: 'toothed', start: 0.16, length: 0.82, halfWidth: 0.2, lightness: -3, bend: 0.06 },
      { count: [8, 10], shape: 'toothed', start: 0.1, length: 0.56, halfWidth: 0.14, lightness: -10, bend: 0.08 },
    ],
    centre: { kind: 'stamens', radius: 0.3, colour: colour(270, 60, 34), tips: colour(285, 50, 48), count: 18 },
    leaf: { shape: 'pointed', length: 1.5, halfWidth: 0.09, colour: colour(115, 18, 46) },
    size: 28,
  },
  {
    name: 'poppy',
    view: 'open',
    colours: [colour(6, 90, 51), colour(22, 92, 56), colour(350, 72, 66)],
    base: [-4, 0, -12],
    rings: [
      { count: [3, 3], shape: 'frilled', start: 0.02, length: 0.96, halfWidth: 0.7, lightness: -5 },
      { count: [2, 3], shape: 'frilled', start: 0.02, length: 0.88, halfWidth: 0.66 },
    ],
    marks: { kind: 'blotch', colour: colour(300, 30, 10) },
    centre: { kind: 'stamens', radius: 0.28, colour: colour(280, 20, 12), tips: colour(270, 20, 16), count: 26 },
    leaf: { shape: 'toothed', length: 0.9, halfWidth: 0.24, colour: colour(98, 30, 38) },
    size: 31,
  },
  {
    name: 'pansy',
    view: 'open',
    colours: [colour(272, 62, 42), colour(48, 92, 58), colour(222, 60, 58), colour(340, 55, 36), colour(40, 30, 93)],
    base: [10, 0, 12],
    // Two broad petals behind, two at the sides, one below: built by hand, so one ring per place.
    rings: [{ count: [5, 5], shape: 'fan', start: 0.02, length: 0.86, halfWidth: 0.5 }],
    marks: { kind: 'whiskers', colour: colour(285, 60, 14) },
    centre: { kind: 'eye', radius: 0.09, colour: colour(50, 96, 58), rim: colour(34, 90, 46) },
    leaf: { shape: 'oval', length: 0.75, halfWidth: 0.28, colour: green },
    size: 29,
  },
  {
    name: 'daffodil',
    view: 'open',
    colours: [colour(53, 92, 62), colour(50, 50, 92)],
    base: [-6, 0, -10],
    rings: [
      { count: [3, 3], shape: 'pointed', start: 0.1, length: 0.88, halfWidth: 0.3, lightness: -6 },
      { count: [3, 3], shape: 'pointed', start: 0.1, length: 0.84, halfWidth: 0.28 },
    ],
    centre: { kind: 'trumpet', radius: 0.38, colour: colour(40, 96, 52), rim: colour(26, 92, 50) },
    leaf: { shape: 'oval', length: 2.4, halfWidth: 0.13, colour: blueGreen },
    size: 31,
  },
  {
    name: 'lavender',
    view: 'spike',
    colours: [colour(262, 48, 60), colour(250, 45, 66), colour(280, 42, 62)],
    base: [4, 0, -14],
    leaf: { shape: 'pointed', length: 1.2, halfWidth: 0.07, colour: colour(120, 16, 48) },
    size: 32,
  },
  {
    name: 'lily',
    view: 'open',
    colours: [colour(22, 92, 56), colour(335, 62, 72), colour(48, 30, 95)],
    base: [12, 4, 6],
    rings: [
      { count: [3, 3], shape: 'pointed', start: 0.04, length: 0.98, halfWidth: 0.22, lightness: -7, bend: 0.07 },
      { count: [3, 3], shape: 'pointed', start: 0.04, length: 0.96, halfWidth: 0.26, bend: 0.07 },
    ],
    marks: { kind: 'spots', colour: colour(8, 60, 26) },
    centre: { kind: 'stamens', radius: 0.5, colour: colour(80, 50, 70), tips: colour(16, 72, 26), count: 6 },
    leaf: { shape: 'pointed', length: 1.3, halfWidth: 0.17, colour: brightGreen },
    size: 36,
  },
  {
    name: 'bluebell',
    view: 'bells',
    colours: [colour(236, 55, 60), colour(250, 50, 64), colour(322, 52, 76)],
    base: [0, 6, -16],
    leaf: { shape: 'oval', length: 2, halfWidth: 0.11, colour: green },
    size: 32,
  },
  {
    name: 'dandelion',
    view: 'open',
    colours: [colour(51, 98, 53), colour(46, 96, 50)],
    base: [-8, 0, -8],
    rings: [
      { count: [24, 28], shape: 'spatula', start: 0.1, length: 0.86, halfWidth: 0.065, lightness: -8 },
      { count: [22, 26], shape: 'spatula', start: 0.06, length: 0.7, halfWidth: 0.06, lightness: -2 },
      { count: [16, 20], shape: 'spatula', start: 0.02, length: 0.5, halfWidth: 0.055, lightness: 2 },
      { count: [10, 13], shape: 'spatula', start: 0, length: 0.3, halfWidth: 0.05, lightness: -4 },
    ],
    centre: { kind: 'eye', radius: 0.1, colour: colour(42, 96, 48), rim: colour(38, 92, 42) },
    leaf: { shape: 'toothed', length: 1.2, halfWidth: 0.22, colour: brightGreen },
    size: 27,
  },
  {
    name: 'hibiscus',
    view: 'open',
    colours: [colour(345, 78, 58), colour(14, 86, 58), colour(45, 88, 62), colour(330, 35, 92)],
    base: [-8, 8, -26],
    rings: [{ count: [5, 5], shape: 'frilled', start: 0.04, length: 0.94, halfWidth: 0.46, bend: 0.08 }],
    marks: { kind: 'veins', colour: colour(340, 70, 30) },
    centre: { kind: 'column', radius: 0.62, colour: colour(46, 85, 66), rim: colour(345, 75, 45) },
    leaf: { shape: 'heart', length: 0.95, halfWidth: 0.36, colour: colour(118, 45, 26) },
    size: 35,
  },
  {
    name: 'periwinkle',
    view: 'open',
    colours: [colour(244, 58, 62), colour(262, 52, 66), colour(228, 62, 70)],
    base: [0, -20, 26],
    rings: [{ count: [5, 5], shape: 'wheel', start: 0.08, length: 0.86, halfWidth: 0.48, bend: 0.1 }],
    centre: { kind: 'eye', radius: 0.11, colour: colour(60, 30, 94), rim: colour(250, 45, 40) },
    leaf: { shape: 'oval', length: 0.8, halfWidth: 0.27, colour: colour(135, 45, 24) },
    size: 25,
  },
  {
    name: 'buttercup',
    view: 'open',
    colours: [colour(54, 98, 52), colour(50, 96, 54)],
    base: [-5, 0, -9],
    rings: [{ count: [5, 6], shape: 'heart', start: 0.04, length: 0.9, halfWidth: 0.42 }],
    centre: { kind: 'stamens', radius: 0.32, colour: colour(56, 90, 42), tips: colour(44, 95, 46), count: 20 },
    leaf: { shape: 'toothed', length: 0.8, halfWidth: 0.28, colour: brightGreen },
    size: 23,
  },
  {
    name: 'aster',
    view: 'open',
    colours: [colour(278, 48, 62), colour(310, 52, 66), colour(255, 52, 66)],
    base: [6, 0, -10],
    rings: [
      { count: [24, 32], shape: 'pointed', start: 0.2, length: 0.8, halfWidth: 0.06, lightness: -8 },
      { count: [20, 26], shape: 'pointed', start: 0.2, length: 0.72, halfWidth: 0.06 },
    ],
    centre: { kind: 'dome', radius: 0.28, colour: colour(46, 94, 52), rim: colour(28, 85, 40) },
    leaf: { shape: 'pointed', length: 0.9, halfWidth: 0.14, colour: green },
    size: 28,
  },
];

export const speciesNames: readonly string[] = allSpecies.map(({ name }) => name);
