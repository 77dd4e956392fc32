/** The picture of an ablation: a dot and its interval for each change, about the line of the baseline. */
import type { AblationResult } from './result.js';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const colours = { helps: '#059669', hurts: '#dc2626', 'within noise': '#64748b' } as const;

/** Round distances for an axis over a span. */
function stepFor(span: number): number {
  const rough = span / 6;
  const size = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * size >= rough) as number) * size;
}

/** SVG; gains in points to the right, losses to the left. */
export function drawGains(result: AblationResult, data: string): string {
  const { rows } = result;
  const [left, right, top, line] = [190, 70, 48, 24];
  const width = 720;
  const height = top + rows.length * line + 48;
  const edges = rows.flatMap(({ value, interval }) => [value, interval.low, interval.high]).filter(Number.isFinite);
  const low = 100 * Math.min(0, ...edges);
  const high = 100 * Math.max(0, ...edges);
  const pad = 0.05 * (high - low || 1);
  const at = (points: number): number =>
    left + ((points - low + pad) / (high - low + 2 * pad)) * (width - left - right);
  const bottom = top + rows.length * line;
  const step = stepFor(high - low || 1);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) ticks.push(tick);
  const digits = step < 1 ? 1 : 0;
  const mean = result.baseline.reduce((a, b) => a + b, 0) / result.baseline.length;
  const title = `${data}: gain over the baseline (${(100 * mean).toFixed(1)} % ${result.scoreName}, ${result.baseline.length} seeds), 95 %`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${width / 2}" y="22" text-anchor="middle" font-size="13" fill="#0f172a">${escaped(title)}</text>`,
    ...ticks.map(
      (tick) =>
        `<line x1="${at(tick).toFixed(1)}" y1="${top - 6}" x2="${at(tick).toFixed(1)}" y2="${bottom}" stroke="${Math.abs(tick) < 1e-9 ? '#0f172a' : '#e2e8f0'}"/><text x="${at(tick).toFixed(1)}" y="${bottom + 18}" text-anchor="middle" fill="#475569">${tick > 0 ? '+' : ''}${tick.toFixed(digits).replace('-', '−')}</text>`,
    ),
    `<text x="${(left + width - right) / 2}" y="${bottom + 38}" text-anchor="middle" fill="#475569">points</text>`,
    ...rows.map(({ name, value, interval, seeds, verdict }, i) => {
      const y = top + i * line + line / 2;
      const colour = colours[verdict];
      const whisker = Number.isFinite(interval.low)
        ? `<line x1="${at(100 * interval.low).toFixed(1)}" y1="${y}" x2="${at(100 * interval.high).toFixed(1)}" y2="${y}" stroke="${colour}" stroke-width="2"/>`
        : '';
      return `<text x="${left - 10}" y="${y + 4}" text-anchor="end" fill="#0f172a">${escaped(name)}</text>${whisker}<circle cx="${at(100 * value).toFixed(1)}" cy="${y}" r="4.5" fill="${colour}"/><text x="${width - right + 8}" y="${y + 4}" fill="#94a3b8">${seeds} seed${seeds === 1 ? '' : 's'}</text>`;
    }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}
