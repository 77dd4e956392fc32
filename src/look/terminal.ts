/** The summary of a report for a terminal: one screen, the most important first. */
import type { LookReport, LookSeverity, PictureSummary } from './report.js';
import { percent } from './report.js';

export interface TerminalOptions {
  /** Columns of the terminal. Default 100. */
  readonly columns?: number;
  /** How many classes get a bar. Default 10. */
  readonly classes?: number;
  /** How many findings are told. Default 8. */
  readonly findings?: number;
  /** Whether colours may be used. Default false. */
  readonly colour?: boolean;
}

const number = (value: number): string => Math.round(value).toLocaleString('en-GB');
/** What stands before a finding. */
export const marks: Readonly<Record<LookSeverity, string>> = { error: '✘', warning: '▲', note: '·' };
const colours: Readonly<Record<LookSeverity, string>> = { error: '31', warning: '33', note: '2' };
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar with eighths of a character, so that small differences show. */
export function bar(share: number, width: number): string {
  const parts = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  return parts === 0 && share > 0 ? '▏' : '█'.repeat(parts >> 3) + eighths[parts & 7];
}

/** 1,234 bytes in few characters. */
export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Shortens the middle of a name. */
export function fit(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  const head = Math.ceil((width - 1) / 2);
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (width - 1 - head)).join('')}`;
}

/** Breaks text into lines, the later ones indented. */
function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  const start = /^ */.exec(text)?.[0] ?? '';
  for (const word of text.trimStart().split(' ')) {
    const longer = line === '' ? start + word : `${line} ${word}`;
    if (line.trim() !== '' && longer.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}

export function terminalSummary(report: LookReport, options: TerminalOptions = {}): string[] {
  const { columns = 100, classes: shown = 10, findings: told = 8, colour = false } = options;
  const width = Math.max(40, Math.min(columns, 120));
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const noun = report.kind === 'pictures' ? 'pictures' : report.kind === 'text' ? 'texts' : 'rows';
  const head = `${report.name}: ${number(report.samples)} ${noun} in ${number(report.classes.length)} classes`;
  const lines = [paint('1', head) + (report.sealed > 0 ? ` (${number(report.sealed)} more are sealed)` : '')];
  if (report.parts)
    lines.push(
      `parts that come with it: ${Object.entries(report.parts)
        .map(([part, count]) => `${part} ${number(count)}`)
        .join(', ')}`,
    );
  lines.push('', ...classBars(report, shown, width, (text) => paint('36', text)), '');
  if (report.pictures) lines.push(...pictureLines(report.pictures, width), '');
  if (report.table)
    lines.push(
      `${report.table.columns.length} columns: ${report.table.columns.filter(({ type }) => type === 'numeric').length} numeric, ${report.table.columns.filter(({ type }) => type === 'categorical').length} categorical`,
      '',
    );
  if (report.text) {
    const { words, vocabulary, once } = report.text;
    lines.push(
      `words per text: ${number(words.least)} to ${number(words.most)}, half of them ${number(words.lower)} to ${number(words.upper)}`,
      `vocabulary: ${number(vocabulary)} words, ${percent(once / Math.max(1, vocabulary))} of them seen once`,
      '',
    );
  }
  if (report.findings.length === 0) lines.push('✔ Nothing remarkable was found.');
  for (const { severity, message, remedy } of report.findings.slice(0, told)) {
    const [first = '', ...rest] = wrap(`${marks[severity]} ${message}`, width, '  ');
    lines.push(paint(colours[severity], first), ...rest.map((line) => paint(colours[severity], line)));
    if (severity !== 'note') lines.push(...wrap(`  → ${remedy}`, width, '    '));
  }
  const more = report.findings.length - told;
  if (more > 0)
    lines.push(`… ${more} more ${more === 1 ? 'finding' : 'findings'}: --html FILE shows all, with pictures.`);
  return lines;
}

function classBars(report: LookReport, shown: number, width: number, paint: (text: string) => string): string[] {
  const { classes } = report;
  // Of many classes the common ones and the rare ones.
  const hidden = classes.length > shown ? classes.length - (shown - 1) : 0;
  const top = hidden === 0 ? classes : classes.slice(0, Math.ceil((shown - 1) / 2));
  const bottom = hidden === 0 ? [] : classes.slice(classes.length - Math.floor((shown - 1) / 2));
  const listed = [...top, ...bottom];
  const name = Math.min(24, Math.max(...listed.map((own) => [...own.name].length), 0));
  const count = Math.max(...listed.map((own) => number(own.count).length), 0);
  const most = classes[0]?.count ?? 1;
  const room = Math.max(8, Math.min(48, width - name - count - 12));
  const row = (own: (typeof classes)[number]): string => {
    const label = fit(own.name, name);
    return `${label}${' '.repeat(name - [...label].length)}  ${number(own.count).padStart(count)}  ${paint(bar(own.count / Math.max(1, most), room))} ${percent(own.share)}`;
  };
  return [...top.map(row), ...(hidden > 0 ? [`… ${hidden} more classes`] : []), ...bottom.map(row)];
}

const range = (least: number, most: number, show: (value: number) => string): string =>
  least === most ? show(least) : `${show(least)} to ${show(most)}`;

function pictureLines(pictures: PictureSummary, width: number): string[] {
  const lines: [string, string][] = [];
  const { width: w, height: h, aspect, bytes, separability } = pictures;
  const sameSize = w.least === w.most && h.least === h.most;
  lines.push([
    'size',
    sameSize
      ? `all ${w.least} × ${h.least}`
      : `${range(w.least, w.most, number)} wide, ${range(h.least, h.most, number)} high, median ${number(w.median)} × ${number(h.median)}; width : height ${range(aspect.least, aspect.most, (value) => value.toFixed(2))}`,
  ]);
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .sort((a, b) => b[1] - a[1])
      .map(([name, count], _, all) => (all.length === 1 ? name : `${name} ${number(count)}`))
      .join(', ');
  lines.push(['stored as', `${list(pictures.formats)}; ${list(pictures.modes)}`]);
  const smallest = pictures.smallest[0];
  const largest = pictures.largest[0];
  if (smallest && largest)
    lines.push([
      'files',
      `${fileSize(smallest.bytes)} (${fit(smallest.name, 32)}) to ${fileSize(largest.bytes)} (${fit(largest.name, 32)}), median ${fileSize(bytes.median)}`,
    ]);
  const three = (values: readonly number[]): string => values.map((value) => value.toFixed(3)).join(' ');
  lines.push(['channels', `mean ${three(pictures.channels.mean)}, deviation ${three(pictures.channels.std)}`]);
  if (separability) {
    const { confused } = separability;
    const most = confused ? `; ${percent(confused[2])} of ${confused[0]} are taken for ${confused[1]}` : '';
    lines.push([
      'telling apart',
      `colours and edges alone get ${percent(separability.balancedAccuracy)} of the classes right (guessing: ${percent(separability.chance)})${most}`,
    ]);
  }
  const label = Math.max(...lines.map(([name]) => name.length)) + 2;
  return lines.flatMap(([name, text]) =>
    wrap(text, width - label, '').map((line, i) => (i === 0 ? name : '').padEnd(label) + line.trimStart()),
  );
}
