/** What can be asked of a drawn flower set, and what is asked when nothing is said. */
import { DataError } from '../errors.js';
import { allSpecies, type Species, speciesNames } from './species.js';

export interface DrawOptions {
  /** How many pictures in all, shared evenly among the species. */
  pictures?: number;
  /** The first so many of `speciesNames`, or names from it. */
  species?: number | readonly string[];
  /** Height and width in pixels. */
  size?: number;
  seed?: number;
  /** 0: large, centred, in typical colours; 1: small, tilted, half hidden, badly lit, in any colour. */
  difficulty?: number;
  /** Standard deviation of the sensor's noise, in units of 0…1. */
  noise?: number;
  /** Share of the pictures that lie in the folder of another species. */
  wrongLabels?: number;
  /** Share of the pictures that are byte for byte copies of another one. */
  duplicates?: number;
  /** Share of the pictures that are another one cropped a little, brighter or darker, and compressed anew. */
  nearDuplicates?: number;
}

/** Everything that decides what is drawn. */
export interface DrawSettings extends Required<Omit<DrawOptions, 'species'>> {
  readonly species: readonly string[];
}

export const drawDefaults = {
  pictures: 1200,
  species: 6,
  size: 128,
  seed: 0,
  difficulty: 0.5,
  noise: 0.015,
  wrongLabels: 0,
  duplicates: 0,
  nearDuplicates: 0,
} as const satisfies Required<DrawOptions>;

/** A set that is drawn in a moment, for tests and first tries: 60 easy pictures of 3 species, 48 × 48. */
export const quickFlowers: DrawOptions = { pictures: 60, species: 3, size: 48, difficulty: 0.2 };

function within(name: string, value: number, low: number, high: number, whole: boolean): void {
  if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
    throw new DataError(
      `${name} must be ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}, not ${value}.`,
    );
  }
}

function namesOf(species: number | readonly string[]): readonly string[] {
  if (typeof species === 'number') {
    within('species', species, 1, speciesNames.length, true);
    return speciesNames.slice(0, species);
  }
  const unknown = species.find((name) => !speciesNames.includes(name));
  if (unknown !== undefined) {
    throw new DataError(`Praxis cannot draw a species named '${unknown}'; it can draw ${speciesNames.join(', ')}.`);
  }
  if (species.length === 0) throw new DataError('species must name at least one species.');
  if (new Set(species).size < species.length) throw new DataError('species names one species twice.');
  return species;
}

/** Fills in the defaults. @throws DataError for a value out of range */
export function resolveSettings(options: DrawOptions = {}): DrawSettings {
  const { species, ...rest } = { ...drawDefaults, ...options };
  const settings = { ...rest, species: [...namesOf(species)] };
  within('pictures', settings.pictures, 1, 1_000_000, true);
  within('size', settings.size, 16, 2048, true);
  within('seed', settings.seed, 0, Number.MAX_SAFE_INTEGER, true);
  for (const name of ['difficulty', 'noise', 'wrongLabels', 'duplicates', 'nearDuplicates'] as const) {
    within(name, settings[name], 0, 1, false);
  }
  if (settings.wrongLabels > 0 && settings.species.length === 1) {
    throw new DataError('wrongLabels needs at least two species.');
  }
  if (settings.wrongLabels + settings.duplicates + settings.nearDuplicates > 0.9) {
    throw new DataError(
      'wrongLabels, duplicates and nearDuplicates together may be 0.9 at most: the rest are what they are copies of.',
    );
  }
  return settings;
}

/** The descriptions of the species by name. */
export function findSpecies(name: string): Species {
  return allSpecies.find((species) => species.name === name) as Species;
}
