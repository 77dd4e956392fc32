/** The confusion matrix as a picture: rows are true classes, columns predicted ones. */

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const xml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => escapes[c] as string).replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd');

const longest = 18;
const short = (name: string): string => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name);

/** @param confusion counts @returns SVG text */
export function drawConfusion(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  const count = classes.length;
  const cell = Math.max(4, Math.min(56, Math.floor(860 / count)));
  const named = cell >= 8;
  const margin = named ? 24 + 7 * Math.min(longest, Math.max(...classes.map((name) => name.length))) : 12;
  const side = cell * count;
  const size = Math.min(13, cell - 1);
  const parts: string[] = [];
  for (const [i, row] of confusion.entries()) {
    const support = row.reduce((a, b) => a + b, 0);
    const middle = margin + (i + 0.5) * cell;
    if (named) {
      const name = xml(short(classes[i] as string));
      parts.push(`<text x="${margin - 6}" y="${middle}" dy="0.35em" text-anchor="end">${name}</text>`);
      parts.push(`<text transform="translate(${middle} ${margin - 6}) rotate(-90)" dy="0.35em">${name}</text>`);
    }
    for (const [j, hits] of row.entries()) {
      if (hits === 0) continue;
      const share = hits / support;
      const [x, y] = [margin + j * cell, margin + i * cell];
      const opacity = i === j ? 0.15 + 0.85 * share : 0.15 + 0.85 * Math.sqrt(share);
      parts.push(
        `<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${i === j ? '#2b59c3' : '#c4432b'}" fill-opacity="${opacity.toFixed(3)}"/>`,
      );
      if (cell >= 20)
        parts.push(
          `<text x="${x + cell / 2}" y="${middle}" dy="0.35em" text-anchor="middle" fill="${opacity > 0.6 ? '#fff' : '#222'}">${hits}</text>`,
        );
    }
  }
  const whole = margin + side + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${whole}" font-family="sans-serif" font-size="${size}"><rect width="100%" height="100%" fill="#fff"/><rect x="${margin}" y="${margin}" width="${side}" height="${side}" fill="#f1efea"/>${parts.join('')}</svg>`;
}
