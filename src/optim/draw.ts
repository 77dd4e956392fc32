/** Curves as text for a terminal, in braille dots, and as SVG. */

/** One curve; points that are not finite are left out. */
export interface DrawnLine {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** What to draw. */
export interface Drawing {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly DrawnLine[];
  /** Between what and what several runs lie. */
  readonly band?: { readonly x: readonly number[]; readonly low: readonly number[]; readonly high: readonly number[] };
  /** Places on the horizontal axis. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  readonly logX?: boolean;
  /** The part of the vertical axis that is shown; default: all. */
  readonly yRange?: readonly [number, number];
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** Dots of a braille character, by row and column. */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** A number in few characters: `0.001`, `1e-7`, `12.5`. */
export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  return String(Number(value.toPrecision(3)));
}

interface Scale {
  readonly low: number;
  readonly high: number;
  /** From 0 to 1. */
  position(value: number): number;
}

function scaleOf(values: readonly number[], log: boolean): Scale {
  const at = log ? Math.log10 : (value: number) => value;
  const known = values.filter((value) => Number.isFinite(at(value)));
  let low = known.reduce((a, b) => Math.min(a, b), Infinity);
  let high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  if (known.length === 0) [low, high] = log ? [0.1, 1] : [0, 1];
  else if (low === high)
    [low, high] = log ? [low / 2, high * 2] : [Math.min(0, low), low === 0 ? 1 : Math.max(0, high)];
  const span = at(high) - at(low);
  return { low, high, position: (value) => (at(value) - at(low)) / span };
}

/** Text canvas of braille dots, two across and four down per character. */
class Canvas {
  readonly #cells: Uint8Array;
  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.#cells = new Uint8Array(columns * rows);
  }

  /** `x` and `y` in dots from the top left; outside is ignored. */
  set(x: number, y: number): void {
    if (x < 0 || y < 0 || x >= 2 * this.columns || y >= 4 * this.rows) return;
    const cell = (y >> 2) * this.columns + (x >> 1);
    this.#cells[cell] = (this.#cells[cell] as number) | (dots[y & 3]?.[x & 1] as number);
  }

  line(x0: number, y0: number, x1: number, y1: number): void {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let i = 0; i <= steps; i++)
      this.set(Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps));
  }

  lines(): string[] {
    return Array.from({ length: this.rows }, (_, row) =>
      String.fromCodePoint(...this.#cells.subarray(row * this.columns, (row + 1) * this.columns).map((x) => x)).replace(
        /[\s\S]/g,
        (x) => (x.charCodeAt(0) === 0 ? ' ' : String.fromCodePoint(0x2800 + x.charCodeAt(0))),
      ),
    );
  }
}

/** Labels under the axis at their columns; one that would run into another goes to a line of its own. */
function markLines(marks: readonly { readonly column: number; readonly label: string }[], width: number): string[] {
  const sorted = [...marks].sort((a, b) => a.column - b.column);
  const rows: string[] = [];
  for (const { column, label } of sorted) {
    const text = `^ ${label}`;
    const start = Math.max(0, Math.min(column, width - 1));
    // Past the middle the label stands to the left of its arrow.
    const left = start + text.length > width ? Math.max(0, start - text.length + 1) : start;
    const shown = left === start ? text : `${label} ^`;
    const free = rows.findIndex((row) => row.length < left);
    if (free < 0) rows.push(' '.repeat(left) + shown);
    else rows[free] = (rows[free] as string).padEnd(left) + shown;
  }
  return rows;
}

/** The drawing as lines of text, at most `width` characters wide (default 72). */
export function drawText(drawing: Drawing): string {
  const { lines, logX = false, band } = drawing;
  const xScale = scaleOf(
    lines.flatMap((line) => line.x.filter((_, i) => Number.isFinite(line.y[i]))),
    logX,
  );
  const yScale = scaleOf(
    drawing.yRange ?? [...lines.flatMap((line) => line.y), ...(band ? [...band.low, ...band.high] : [])],
    false,
  );
  const labels = [shortNumber(yScale.high), shortNumber((yScale.low + yScale.high) / 2), shortNumber(yScale.low)];
  const margin = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(10, (drawing.width ?? 72) - margin - 3);
  const rows = Math.max(3, drawing.height ?? 10);
  const canvas = new Canvas(columns, rows);
  const across = (x: number) => Math.round(xScale.position(x) * (2 * columns - 1));
  const down = (y: number) => Math.round((1 - yScale.position(y)) * (4 * rows - 1));
  if (band)
    band.x.forEach((x, i) => {
      // A dotted area: every other dot of every other column.
      const column = across(x);
      for (let y = down(band.high[i] as number); y <= down(band.low[i] as number); y++)
        if ((y + column) % 4 === 0) canvas.set(column, y);
    });
  for (const { x, y } of lines)
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(y[i])) continue;
      const [x1, y1] = [across(x[i] as number), down(y[i] as number)];
      if (i > 0 && Number.isFinite(y[i - 1])) canvas.line(across(x[i - 1] as number), down(y[i - 1] as number), x1, y1);
      else canvas.set(x1, y1);
    }
  const middle = Math.floor((rows - 1) / 2);
  const body = canvas.lines().map((text, row) => {
    const label = row === 0 ? labels[0] : row === middle ? labels[1] : row === rows - 1 ? labels[2] : '';
    return `${(label as string).padStart(margin)} ${label === '' ? '│' : '┤'}${text}`.trimEnd();
  });
  const indent = ' '.repeat(margin + 2);
  const right = shortNumber(xScale.high);
  const left = shortNumber(xScale.low);
  const gap = columns - left.length - right.length;
  const name = drawing.xLabel.length + 2 <= gap ? drawing.xLabel : '';
  const before = Math.floor((gap - name.length) / 2);
  const axis = `${' '.repeat(margin)} └${'─'.repeat(columns)}`;
  const ends = `${indent}${left}${' '.repeat(Math.max(1, before))}${name}${' '.repeat(Math.max(1, gap - name.length - before))}${right}`;
  const marks = markLines(
    (drawing.marks ?? [])
      .filter(({ x }) => Number.isFinite(xScale.position(x)))
      .map(({ x, label }) => ({ column: across(x) >> 1, label })),
    columns,
  ).map((row) => indent + row);
  return [drawing.title, ...body, axis, ...marks, ends].join('\n');
}

/** The drawing as an SVG picture, 720 × 360 pixels unless told otherwise. Drawn by Apache ECharts, without a browser. */
export async function drawSvg(drawing: Drawing): Promise<string> {
  const { renderSvg } = await import('./draw-svg.js');
  return renderSvg(drawing);
}
