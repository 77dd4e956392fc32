/** Which changes to a picture would change its label, told from the names of the classes; a person has the last word. */
import { changeAugmentation } from './presets.js';
import type { AugmentationSpec } from './spec.js';

/** What the classes stand for, as far as mirroring and turning go. */
export type LabelKind = 'things' | 'characters' | 'sides';

const numerals =
  /^(zero|one|two|three|four|five|six|seven|eight|nine|ten|null|eins|zwei|drei|vier|fuenf|sechs|sieben|acht|neun)$/;
/** `7`, `07`, `digit_7`, `A`, `letter-b`, `U+0041`. */
const character = (name: string): boolean =>
  /^\d{1,2}$/.test(name) ||
  /^\p{L}$/u.test(name) ||
  /^(digit|letter|char|number)[-_ ]?[\p{L}\d]{1,2}$/u.test(name) ||
  numerals.test(name);

/** Whether for a name another is its mirror image: `left-hand` and `right-hand`. */
function hasMirror(name: string, names: ReadonlySet<string>): boolean {
  return (
    names.has(name.replace(/left|right/g, (side) => (side === 'left' ? 'right' : 'left'))) && /left|right/.test(name)
  );
}

/** Characters: at least two thirds of the names are letters, digits or numerals; sides: one class is the mirror image of another. */
export function labelKind(classes: readonly string[]): LabelKind {
  const names = classes.map((name) => name.trim().toLowerCase());
  const likely = names.filter(character).length;
  // Numbers alone are what people call anything when there are more than ten of them.
  const numbers = names.filter((name) => /^\d+$/.test(name)).length;
  if (names.length > 1 && likely >= (2 / 3) * names.length && !(numbers === names.length && numbers > 10))
    return 'characters';
  const set = new Set(names);
  return names.some((name) => hasMirror(name, set)) ? 'sides' : 'things';
}

/** What is left out for classes of a kind, and why, in a sentence without a full stop; undefined where nothing is. */
export const policyReason: Readonly<Record<LabelKind, string | undefined>> = {
  things: undefined,
  characters: 'no flips, no large turns and no small crops, since the classes look like letters or digits',
  sides: 'no flips, since some classes are the mirror image of others',
};

/** A description without what would change a label of this kind. Source: which of torchvision's changes letters survive, Cubuk et al. 2020 for SVHN. */
export function keepLabels(spec: AugmentationSpec, kind: LabelKind): AugmentationSpec {
  if (kind === 'things') return spec;
  const names = spec.steps.map(({ name }) => name);
  const changes: Record<string, Readonly<Record<string, unknown>> | false> = {};
  for (const name of ['randomHorizontalFlip', 'randomVerticalFlip', 'alternatingFlip'])
    if (names.includes(name)) changes[name] = false;
  if (kind === 'characters') {
    if (names.includes('randomResizedCrop')) changes.randomResizedCrop = { scale: [0.75, 1] };
    // It turns by up to 135 degrees, which makes a 9 of a 6.
    if (names.includes('trivialAugmentWide')) {
      changes.trivialAugmentWide = false;
      changes.randomAffine = { degrees: 10, translate: [0.1, 0.1], scale: [0.9, 1.1], shear: 10 };
    }
  }
  return changeAugmentation(spec, changes);
}
