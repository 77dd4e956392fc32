/** What a range test found, and its pictures. */
import { type Drawing, drawSvg, drawText, shortNumber } from './draw.js';
import { type Sweep, smooth } from './lr-curve.js';

/** A rate, from all seeds. */
export interface Band {
  /** Median over the seeds. */
  readonly lr: number;
  readonly low: number;
  readonly high: number;
  /** One per seed. */
  readonly each: readonly number[];
}

/** Rates by the way they are read from the curve. */
export interface Suggestions {
  /** Where the loss falls fastest. */
  readonly steepest: Band;
  /** In the middle of the fall. */
  readonly valley: Band;
  /** A tenth of the rate with the least loss. */
  readonly minimum: Band;
  /** The highest rate that does not spike. */
  readonly highest: Band;
}

const readings: readonly (readonly [keyof Suggestions, string])[] = [
  ['valley', 'middle of the fall; a good start'],
  ['steepest', 'where the loss falls fastest'],
  ['minimum', 'a tenth of the rate with the least loss'],
  ['highest', 'highest that does not spike; for schedules that fall from it'],
];

/** The result of `lrFind`. Printing it shows the curve and the suggestions. */
export class LrFindResult {
  constructor(
    readonly sweeps: readonly Sweep[],
    readonly suggestions: Suggestions,
    /** Whether the loss spiked somewhere with every seed. If not, the highest rate may be higher than what was tried. */
    readonly complete: boolean,
  ) {}

  /** The rate to begin with: the valley, but never more than half of the highest one. */
  get lr(): number {
    return Math.min(this.suggestions.valley.lr, this.suggestions.highest.lr / 2);
  }

  #drawing(): Drawing {
    const [first] = this.sweeps;
    const rates = this.sweeps.reduce(
      (longest, sweep) => (sweep.rates.length > longest.length ? sweep.rates : longest),
      first?.rates ?? [],
    );
    const smoothed = this.sweeps.map((sweep) => smooth(sweep.losses));
    const at = (i: number) =>
      smoothed.map((losses) => losses[i]).filter((loss): loss is number => loss !== undefined && Number.isFinite(loss));
    const mean = rates.map((_, i) => {
      const losses = at(i);
      return losses.length === 0 ? Number.NaN : losses.reduce((a, b) => a + b, 0) / losses.length;
    });
    const starts = smoothed.map((losses) => losses[0] as number);
    const least = Math.min(...smoothed.flat().filter(Number.isFinite));
    const start = Math.max(...starts);
    // The spike would press everything else flat.
    const top = start + 0.5 * (start - least || Math.abs(start) || 1);
    const shown = (value: number) => Math.min(value, top);
    const known = rates.map((_, i) => i).filter((i) => at(i).length > 0);
    const several = this.sweeps.length > 1;
    return {
      title: `loss against learning rate, ${several ? `mean and range of ${this.sweeps.length} seeds` : 'one seed'}`,
      xLabel: 'learning rate',
      yLabel: 'loss',
      logX: true,
      lines: [{ name: 'loss', x: known.map((i) => rates[i] as number), y: known.map((i) => shown(mean[i] as number)) }],
      ...(several
        ? {
            band: {
              x: known.map((i) => rates[i] as number),
              low: known.map((i) => shown(Math.min(...at(i)))),
              high: known.map((i) => shown(Math.max(...at(i)))),
            },
          }
        : {}),
      marks: readings.map(([name]) => ({ x: this.suggestions[name].lr, label: name })),
      yRange: [Math.min(least, 0) === least ? least : Math.max(0, least - 0.1 * (top - least)), top],
    };
  }

  /** The curve and the suggestions as text. */
  text(options: { readonly width?: number; readonly height?: number } = {}): string {
    const rows = readings.map(([name, meaning]) => {
      const { lr, low, high } = this.suggestions[name];
      return `  ${name.padEnd(9)} ${shortNumber(lr).padEnd(9)} ${`(${shortNumber(low)} to ${shortNumber(high)})`.padEnd(22)} ${meaning}`;
    });
    const note = this.complete
      ? ''
      : `\n  The loss did not spike up to ${shortNumber(this.suggestions.highest.high)} with every seed: the highest rate may be higher.`;
    return `${drawText({ ...this.#drawing(), ...options })}\n\n${rows.join('\n')}${note}\n  Begin with ${shortNumber(this.lr)}.`;
  }

  /** The curve with the suggestions as an SVG picture. */
  svg(options: { readonly width?: number; readonly height?: number } = {}): Promise<string> {
    return drawSvg({ ...this.#drawing(), ...options });
  }

  toString(): string {
    return this.text();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.text();
  }
}
