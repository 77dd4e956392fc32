/** A sheet of pictures with captions, drawn as SVG. */

/** One picture of a sheet. */
export interface SheetPicture {
  /** PNG. */
  readonly png: Buffer;
  /** What stands below it, a line each. */
  readonly notes: readonly string[];
}

/** A picture and what became of it. */
export interface SheetRow {
  /** In bold. */
  readonly title: string;
  /** Below the title, small. */
  readonly detail: string;
  /** The original first. */
  readonly pictures: readonly SheetPicture[];
}

export interface Sheet {
  readonly title: string;
  /** Lines below the title. */
  readonly lines: readonly string[];
  /** Above each of a row's pictures. */
  readonly heads: readonly string[];
  readonly rows: readonly SheetRow[];
  /** Width and height of a picture on the sheet. */
  readonly picture: { readonly width: number; readonly height: number };
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Text that XML can hold: file names may have control characters, XML may not. */
const xml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => escapes[c] as string).replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd');

/** About how wide text is in a sans-serif face, wide letters of East Asia included. */
function widthOf(text: string, size: number): number {
  let ems = 0;
  for (const letter of text)
    ems += (letter.codePointAt(0) as number) > 0x2e7f ? 1 : /[mwMW@]/.test(letter) ? 0.9 : 0.58;
  return ems * size;
}

/** Text that fits, its middle left out where it must be. */
function fit(text: string, size: number, width: number): string {
  if (widthOf(text, size) <= width) return text;
  const letters = [...text];
  for (let keep = letters.length - 1; keep > 2; keep--) {
    const head = Math.ceil(keep / 2);
    const short = `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (keep - head)).join('')}`;
    if (widthOf(short, size) <= width) return short;
  }
  return '…';
}

/** Words broken into lines. */
function wrap(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

const face = "font-family=\"'Inter','Helvetica Neue','Segoe UI','DejaVu Sans',Arial,sans-serif\"";

function text(x: number, y: number, size: number, colour: string, content: string, more = ''): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${colour}" ${more}>${xml(content)}</text>`;
}

const margin = 32;
const gap = 10;
const padding = 14;
const captionHeight = 58;
const ink = {
  title: '#1c2430',
  text: '#4a5565',
  faint: '#8793a3',
  card: '#ffffff',
  page: '#eef1f5',
  accent: '#b4542a',
};

/** How many cards stand side by side: whatever comes closest to a page a half wider than high. */
function columnsFor(rows: number, width: number, height: number): number {
  let best = 1;
  let bestMiss = Number.POSITIVE_INFINITY;
  for (let columns = 1; columns <= rows; columns++) {
    const miss = Math.abs(Math.log((columns * width) / (Math.ceil(rows / columns) * height) / 1.5));
    if (miss < bestMiss - 1e-9) {
      best = columns;
      bestMiss = miss;
    }
  }
  return best;
}

function card(row: SheetRow, sheet: Sheet, x: number, y: number, width: number, height: number): string {
  const { picture } = sheet;
  const shapes = [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="${ink.card}" stroke="#dde2e9"/>`,
  ];
  const top = y + padding;
  for (const [i, { png, notes }] of row.pictures.entries()) {
    // The original stands a little apart from what was made of it.
    const left = x + padding + i * (picture.width + gap) + (i > 0 ? gap : 0);
    const name = `c${Math.round(left)}-${Math.round(top)}`;
    shapes.push(
      `<clipPath id="${name}"><rect x="${left}" y="${top}" width="${picture.width}" height="${picture.height}" rx="5"/></clipPath>`,
      `<image x="${left}" y="${top}" width="${picture.width}" height="${picture.height}" clip-path="url(#${name})" preserveAspectRatio="none" href="data:image/png;base64,${png.toString('base64')}"/>`,
    );
    for (const [k, note] of notes.slice(0, 2).entries()) {
      const said = fit(note, 10.5, picture.width + gap - 4);
      shapes.push(
        text(
          left + picture.width / 2,
          top + picture.height + 15 + 13 * k,
          10.5,
          ink.accent,
          said,
          'text-anchor="middle"',
        ),
      );
    }
  }
  const below = top + picture.height + 20;
  const line = picture.width;
  shapes.push(text(x + padding, below, 13, ink.title, fit(row.title, 13.5, line), 'font-weight="600"'));
  shapes.push(text(x + padding, below + 24, 11, ink.faint, fit(row.detail, 11, width - 2 * padding)));
  return shapes.join('\n');
}

/** The sheet as SVG, pictures inside. */
export function drawSheet(sheet: Sheet): string {
  const { picture, rows, heads } = sheet;
  const cardWidth =
    2 * padding + heads.length * picture.width + (heads.length - 1) * gap + (heads.length > 1 ? gap : 0);
  const cardHeight = padding + picture.height + captionHeight;
  const columns = columnsFor(rows.length, cardWidth, cardHeight);
  const inner = Math.max(columns * cardWidth + (columns - 1) * gap * 1.6, 360);
  const lines = sheet.lines.flatMap((line) => wrap(line, 13, inner));
  const headTop = margin + 26 + lines.length * 19 + 24;
  const top = headTop + 10;
  const down = Math.ceil(rows.length / columns);
  const width = Math.ceil(inner + 2 * margin);
  const height = Math.ceil(top + down * (cardHeight + gap * 1.6) - gap * 1.6 + margin);
  const shapes = [text(margin, margin + 18, 22, ink.title, sheet.title, 'font-weight="700"')];
  for (const [i, line] of lines.entries()) shapes.push(text(margin, margin + 44 + i * 19, 13, ink.text, line));
  for (let column = 0; column < Math.min(columns, rows.length); column++)
    for (const [i, head] of heads.entries()) {
      const x = margin + column * (cardWidth + gap * 1.6) + padding + i * (picture.width + gap) + (i > 0 ? gap : 0);
      shapes.push(text(x, headTop, 11, ink.faint, fit(head, 11, picture.width), 'letter-spacing="0.4"'));
    }
  for (const [i, row] of rows.entries()) {
    const x = margin + (i % columns) * (cardWidth + gap * 1.6);
    const y = top + Math.floor(i / columns) * (cardHeight + gap * 1.6);
    shapes.push(card(row, sheet, x, y, cardWidth, cardHeight));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${face}>
<rect width="100%" height="100%" fill="${ink.page}"/>
${shapes.join('\n')}
</svg>
`;
}
