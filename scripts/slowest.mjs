/** Reporter for node:test: says at the end which files took longest, so that a slow suite shows where its time went. */

const most = 12;

/** @param {AsyncIterable<{ type: string, data: { nesting?: number, file?: string, details?: { duration_ms?: number } } }>} events */
export default async function* slowest(events) {
  /** @type {Map<string, number>} */
  const seconds = new Map();
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting !== 0 || data.file === undefined) continue;
    const duration = (data.details?.duration_ms ?? 0) / 1000;
    seconds.set(data.file, (seconds.get(data.file) ?? 0) + duration);
  }
  const longest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, most);
  yield '\nslowest files (seconds of their tests):\n';
  for (const [file, time] of longest)
    yield `${time.toFixed(1).padStart(7)}  ${file.replace(`${process.cwd()}/`, '')}\n`;
}
