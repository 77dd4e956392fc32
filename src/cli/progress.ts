/** A line that is written over itself while work goes on. */

export interface ProgressLine {
  /** Shows `text`; too soon after the last one it is left out, unless `last`. */
  show(text: string, last?: boolean): void;
  /** Takes the line away. */
  clear(): void;
}

/**
 * @param stream written to only where it is a terminal: a log file would hold hundreds of lines
 */
export function progressLine(stream: {
  isTTY?: boolean;
  write(text: string): boolean;
  columns?: number;
}): ProgressLine {
  let shown = 0;
  let anything = false;
  return {
    show(text, last = false) {
      const now = performance.now();
      if (stream.isTTY !== true || (!last && now - shown < 100)) return;
      shown = now;
      anything = true;
      stream.write(`\r\u001b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    clear() {
      if (anything) stream.write('\r\u001b[K');
      anything = false;
    },
  };
}
