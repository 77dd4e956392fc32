/** What the checks of a split say. */

/** `good`: as it should be; `note`: worth knowing; `warning`: results will mislead if nothing is done. */
export type Severity = 'good' | 'note' | 'warning';

export interface SplitFinding {
  readonly check:
    | 'labels'
    | 'brightness'
    | 'size'
    | 'colour'
    | 'aspect'
    | 'leaks'
    | 'rare-classes'
    | 'large-groups'
    | 'unreadable'
    | 'duplicates'
    | 'official-parts';
  readonly severity: Severity;
  /** One sentence. */
  readonly message: string;
  /** The numbers or names behind it. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** What to do; with warnings. */
  readonly remedy?: string;
}

/** `3 pictures`, `1 picture`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}

/** The first few of a list: `a, b, c and 4 more`. */
export function someOf(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** A probability in few characters. */
export function shortProbability(p: number): string {
  return p < 1e-4 ? p.toExponential(0) : String(Number(p.toPrecision(2)));
}
