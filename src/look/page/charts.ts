/** Charts of the page: bars in HTML, a scatter of sizes in SVG. */
import { percent } from '../report.js';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Text that HTML may hold anywhere, attributes in quotes included. */
export const html = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] as string).replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd');

export const number = (value: number): string => Math.round(value).toLocaleString('en-GB');

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly shown: string;
  readonly rare?: boolean;
}

/** Horizontal bars; `most` is the value that fills the width. */
export function bars(rows: readonly Bar[], most: number): string {
  const cells = rows.map(
    ({ name, value, shown, rare }) =>
      `<div class="name" title="${html(name)}">${html(name)}</div><div class="track${rare ? ' rare' : ''}"><div style="width:${((100 * value) / Math.max(most, 1e-9)).toFixed(1)}%"></div></div><div class="value">${html(shown)}</div>`,
  );
  return `<div class="bars">${cells.join('')}</div>`;
}

export const share = (value: number): Pick<Bar, 'value' | 'shown'> => ({ value, shown: percent(value) });

/** Ticks at 1, 2 and 5 times powers of ten. */
function ticks(least: number, most: number): number[] {
  const found: number[] = [];
  for (let power = 1; power <= 1e6; power *= 10)
    for (const step of [1, 2, 5]) if (step * power >= least && step * power <= most) found.push(step * power);
  return found;
}

/** Widths and heights of pictures, both axes logarithmic, the area of a dot by how many pictures have that size. */
export function sizeScatter(sizes: readonly { width: number; height: number; count: number }[]): string {
  const all = sizes.flatMap(({ width, height }) => [width, height]);
  const least = Math.min(...all) / 1.4;
  const most = Math.max(...all) * 1.4;
  const [left, top, side] = [52, 10, 330];
  const at = (value: number): number => Math.log(value / least) / Math.log(most / least);
  const x = (value: number): string => (left + side * at(value)).toFixed(1);
  const y = (value: number): string => (top + side * (1 - at(value))).toFixed(1);
  const largest = Math.max(...sizes.map(({ count }) => count));
  const grid = ticks(least, most).map(
    (tick) =>
      `<line class="axis" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${top + side}"/><line class="axis" x1="${left}" x2="${left + side}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${x(tick)}" y="${top + side + 18}" text-anchor="middle">${tick}</text><text x="${left - 8}" y="${y(tick)}" dy="4" text-anchor="end">${tick}</text>`,
  );
  const dots = sizes.map(
    ({ width, height, count }) =>
      `<circle class="dot" cx="${x(width)}" cy="${y(height)}" r="${(3 + 13 * Math.sqrt(count / largest)).toFixed(1)}"><title>${width} × ${height}: ${number(count)}</title></circle>`,
  );
  return `<svg viewBox="0 0 ${left + side + 14} ${top + side + 44}" role="img" aria-label="Widths and heights of the pictures">${grid.join('')}${dots.join('')}<text x="${left + side / 2}" y="${top + side + 38}" text-anchor="middle">width (pixels); upwards: height</text></svg>`;
}
