/** Values of flags. */
import { ConfigError } from '../train/errors.js';

/** @throws ConfigError when it is no whole number from 1 */
export function wholeNumber(flag: string, given: string): number {
  const value = Number(given);
  if (given.trim() === '' || !Number.isInteger(value) || value < 1)
    throw new ConfigError(`${flag} takes a whole number from 1, got '${given}'.`);
  return value;
}

/** @throws ConfigError when it is none of the words */
export function oneOf<Word extends string>(flag: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given.toLowerCase());
  if (found === undefined) throw new ConfigError(`${flag} takes ${words.join(', ')}, got '${given}'.`);
  return found;
}
