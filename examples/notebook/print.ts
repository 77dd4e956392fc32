/** Headings and tables of the notebook. */

export const heading = (text: string): void =>
  console.log(`\n── ${text} ${'─'.repeat(Math.max(3, 110 - text.length))}`);

/** Three significant figures. */
function figures(x: number): string {
  const size = Math.abs(x);
  return x !== 0 && (size < 1e-3 || size >= 1e6) ? x.toExponential(1) : String(Number(x.toPrecision(3)));
}

/** A row of a table: the first cell to the left, the others to the right. */
export const row = (...cells: readonly (string | number)[]): void =>
  console.log(
    cells
      .map((cell) => (typeof cell === 'string' ? cell : figures(cell)))
      .map((text, i) => (i === 0 ? text.padEnd(34) : text.padStart(14)))
      .join('')
      .trimEnd(),
  );

/** What the notebook asks of an optimiser; all of Praxis' fit. */
export interface Trains {
  zeroGrad(): void;
  step(): unknown;
}
