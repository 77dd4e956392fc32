/** Errors that leave `torch`: each names what was wrong, where, and what was expected. */

/** Any error of the engine. `code` is the engine's own class, as in Python: `IndexError`, `ValueError`, … */
export class TorchError extends Error {
  override readonly name: string = 'TorchError';
  constructor(
    message: string,
    readonly code: string = 'RuntimeError',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The arguments cannot be right: a wrong count, a wrong type, an unknown name, a disposed tensor. */
export class ArgumentError extends TorchError {
  override readonly name = 'ArgumentError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ArgumentError', options);
  }
}

/** Memory could not be had even after everything collectable was collected. */
export class OutOfMemoryError extends TorchError {
  override readonly name = 'OutOfMemoryError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'OutOfMemoryError', options);
  }
}

/** The loaded engine has no such operator (the message names a version that does), or none that TypeScript can call (it says why). */
export class MissingOperatorError extends TorchError {
  override readonly name = 'MissingOperatorError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'NotImplementedError', options);
  }
}

/** There is no engine, or it could not be loaded. */
export class EngineError extends TorchError {
  override readonly name = 'EngineError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'EngineError', options);
  }
}

/** The nearest of some names to a misspelt one, or undefined when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Changes, insertions, deletions and swapped neighbours that make one word of the other. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (beforePrevious[j - 2] ?? 0) + 1 : change;
      current.push(Math.min(change, swap, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
