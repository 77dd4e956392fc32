/** How tensors are printed: PyTorch's `set_printoptions`. */

import { ArgumentError } from './errors.js';

export interface PrintOptions {
  /** Digits after the point. Default 4. */
  readonly precision: number;
  /** Tensors of more elements than this are summarised with `...`. Default 1000. */
  readonly threshold: number;
  /** Elements kept at the beginning and the end of each dimension of a summarised tensor. Default 3. */
  readonly edgeitems: number;
  /** Characters per line before a row of numbers wraps. Default 80. */
  readonly linewidth: number;
  /** Scientific notation: always, never, or (null, the default) decided by the numbers themselves. */
  readonly sciMode: boolean | null;
}

/** What `setPrintOptions` takes: single options, on top of a profile where one is named. */
export interface PrintSettings extends Partial<PrintOptions> {
  /** `default`; `short`: precision 2 and 2 edge items; `full`: never summarise. */
  readonly profile?: PrintProfile;
}

export type PrintProfile = 'default' | 'short' | 'full';

type ProfileOptions = Omit<PrintOptions, 'sciMode'>;

const profiles: Readonly<Record<PrintProfile, ProfileOptions>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Number.POSITIVE_INFINITY, edgeitems: 3, linewidth: 80 },
};

/** More digits than any double has after the point when printed in scientific notation. */
const MAX_PRECISION = 1100;

let current: PrintOptions = { ...profiles.default, sciMode: null };

/** The options in force. They can be handed to `setPrintOptions` to restore them. */
export function getPrintOptions(): PrintOptions {
  return { ...current };
}

/**
 * Sets how tensors print, as `torch.set_printoptions`: options that are left out keep their value, except that
 * `sciMode` goes back to automatic whenever it is not named.
 *
 * @throws ArgumentError naming the option, when a value cannot be used. Nothing has changed then.
 */
export function setPrintOptions(settings: PrintSettings): void {
  current = mergePrintOptions(current, settings);
}

/**
 * Runs `callback` with other print options and restores the former ones, also when it throws: Python's
 * `with torch.printoptions(...)`.
 *
 * @throws ArgumentError when the callback returns a promise, since the options cannot stay in force while it is pending.
 */
export function withPrintOptions<Result>(settings: PrintSettings, callback: () => Result): Result {
  const former = current;
  setPrintOptions(settings);
  try {
    const result = callback();
    if (result instanceof Promise) {
      throw new ArgumentError(
        'withPrintOptions: the callback returned a promise; print inside a synchronous callback.',
      );
    }
    return result;
  } finally {
    current = former;
  }
}

/** The options that result from `settings` on top of `base`; checks every value. */
export function mergePrintOptions(base: PrintOptions, settings: PrintSettings): PrintOptions {
  const { profile, precision, threshold, edgeitems, linewidth, sciMode } = settings;
  if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
    const names = Object.keys(profiles).join(', ');
    throw new ArgumentError(`setPrintOptions: unknown profile ${JSON.stringify(profile)}; use one of ${names}.`);
  }
  checkCount('precision', precision, 0, MAX_PRECISION);
  checkCount('threshold', threshold, 0, Number.POSITIVE_INFINITY);
  checkCount('edgeitems', edgeitems, 0, Number.MAX_SAFE_INTEGER);
  checkCount('linewidth', linewidth, 1, Number.POSITIVE_INFINITY);
  if (sciMode !== undefined && sciMode !== null && typeof sciMode !== 'boolean') {
    throw new ArgumentError(`setPrintOptions: sciMode must be true, false or null, got ${String(sciMode)}.`);
  }
  const start: ProfileOptions = profile === undefined ? base : profiles[profile];
  return {
    precision: precision ?? start.precision,
    threshold: threshold ?? start.threshold,
    edgeitems: edgeitems ?? start.edgeitems,
    linewidth: linewidth ?? start.linewidth,
    sciMode: sciMode ?? null,
  };
}

function checkCount(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined) return;
  const whole = Number.isInteger(value) || (most === Number.POSITIVE_INFINITY && value === most);
  if (whole && value >= least && value <= most) return;
  const bounds = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`;
  throw new ArgumentError(`setPrintOptions: ${name} must be a whole number ${bounds}, got ${String(value)}.`);
}
