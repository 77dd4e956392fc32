/** What a schedule is: a function of the step, with a name, a length, and pictures of itself. */
import { type Drawing, drawSvg, drawText } from '../draw.js';
import { requireInteger } from '../options.js';

export interface ScheduleDrawing {
  /** Steps to draw. Default: the schedule's length, or 100. */
  readonly steps?: number;
  /** Rate that the schedule starts from. Default 1: factors are drawn. */
  readonly base?: number;
  /** Columns of the text, or pixels of the SVG. */
  readonly width?: number;
  /** Rows of the text, or pixels of the SVG. */
  readonly height?: number;
  readonly title?: string;
}

/**
 * A learning-rate schedule: a pure function of the step. `schedule(step)` is the factor at that step, `schedule(step, base)` the rate
 * for a base rate. The first step is 0. Nothing is remembered, so resuming needs the step and nothing else.
 */
export interface Schedule {
  (step: number, base?: number): number;
  /** How it was made, e.g. `cosine(steps 100)`. */
  readonly title: string;
  /** Steps until it is over; null for schedules that never are. */
  readonly steps: number | null;
  /** Momentum (or Adam's first beta) at a step, for schedules that move it too. */
  readonly momentum?: (step: number) => number;
  /** The curve as lines of text for a terminal. */
  draw(options?: ScheduleDrawing): string;
  /** The curve as an SVG picture. */
  svg(options?: ScheduleDrawing): Promise<string>;
}

/** The points to draw. */
function drawingOf(schedule: Schedule, options: ScheduleDrawing): Drawing {
  const steps = requireInteger(schedule.title, 'steps', options.steps ?? schedule.steps ?? 100, 1);
  const base = options.base ?? 1;
  const x = Array.from({ length: steps + 1 }, (_, step) => step);
  const y = x.map((step) => schedule(step, base));
  return {
    title: options.title ?? schedule.title,
    xLabel: 'step',
    yLabel: base === 1 ? 'factor' : 'learning rate',
    lines: [{ name: 'rate', x, y }],
    // From zero: how far the rate falls is the point.
    yRange: [0, y.reduce((a, b) => Math.max(a, b), 0) || 1],
    width: options.width,
    height: options.height,
  };
}

/** Makes a schedule of its formula. */
export function makeSchedule(
  title: string,
  steps: number | null,
  rate: (step: number, base: number) => number,
  momentum?: (step: number) => number,
): Schedule {
  const schedule = ((step: number, base = 1) => rate(step, base)) as Schedule;
  return Object.assign(schedule, {
    title,
    steps,
    ...(momentum === undefined ? {} : { momentum }),
    draw: (options: ScheduleDrawing = {}) => drawText(drawingOf(schedule, options)),
    svg: (options: ScheduleDrawing = {}) => drawSvg(drawingOf(schedule, options)),
  });
}

/** `cosine(steps 100, minimum 0.1)` from the options that are not the defaults. */
export function titleOf(name: string, options: object): string {
  const parts = Object.entries(options)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([key, value]) => (value === true ? key : `${key} ${Array.isArray(value) ? value.join(' ') : String(value)}`));
  return `${name}(${parts.join(', ')})`;
}
