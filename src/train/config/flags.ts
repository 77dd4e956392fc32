/** Settings as one would type them: the way back from values to flags. */
import { flagOf, type SettingName } from './schema.js';

/** Shares as `70/15/15`, sides as `96x128`, the rest as it is. */
function valueText(name: SettingName, value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  if (name === 'split') return value.map((share: number) => Number((100 * share).toPrecision(12))).join('/');
  return value.join('x');
}

/** The flags that give a run these settings: `['--size', '96', '--no-cache']`. */
export const flagsFor = (settings: readonly (readonly [name: SettingName, value: unknown])[]): string[] =>
  settings.flatMap(([name, value]) => {
    if (value === undefined || value === null || value === true) return [];
    return value === false ? [`--no-${flagOf(name)}`] : [`--${flagOf(name)}`, valueText(name, value)];
  });
