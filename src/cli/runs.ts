/** `praxis runs`: what was trained here, how it stands and what came of it. */
import type { Command } from 'commander';
import type { RunSummary } from '../track/list.js';

/** `1 h 03 min`, `4 min 12 s`, `8 s`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** A fact of a record as text, or nothing. */
function fact(facts: Readonly<Record<string, unknown>> | undefined, ...names: readonly string[]): string {
  for (const name of names) {
    const value = facts?.[name];
    if (typeof value === 'string' || typeof value === 'number') return String(value);
  }
  return '';
}

function best(run: RunSummary): string {
  const found = run.record?.best;
  if (found === undefined) return '';
  const share = /accuracy|precision|recall|f1|top/i.test(found.metric) && found.value >= 0 && found.value <= 1;
  const value = share ? `${(found.value * 100).toFixed(1)} %` : String(Number(found.value.toPrecision(4)));
  return `${value} ${found.metric}${found.epoch === undefined ? '' : ` (epoch ${found.epoch})`}`;
}

/** The table, its columns as wide as they must be. */
export function runsTable(runs: readonly RunSummary[]): string[] {
  const header = ['run', 'state', 'best', 'time', 'data', 'model'];
  const good = runs.filter((run) => run.record !== undefined);
  const rows = good.map((run) => [
    run.path,
    run.state,
    best(run),
    duration(run.seconds ?? 0),
    fact(run.record?.data, 'name'),
    fact(run.record?.model, 'name', 'type'),
  ]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd();
  const problems = runs.filter((run) => run.problem !== undefined).map((run) => `✘ ${run.problem}`);
  return [...(rows.length === 0 ? [] : [line(header), ...rows.map(line)]), ...problems];
}

export function addRuns(program: Command): void {
  program
    .command('runs')
    .summary('list runs with their state, best result and time')
    .description(
      'Lists the runs of a folder, newest first. A run is running, finished, stopped (it can go on with praxis resume),\nfailed, or interrupted: its process is gone without a word.',
    )
    .argument('[folder]', 'folder that holds the runs', 'runs')
    .option('--json', 'print the runs as JSON')
    .action(async (folder: string, { json = false }: { json?: boolean }) => {
      const { listRuns } = await import('../track/list.js');
      const { RunError } = await import('../track/errors.js');
      const { stringifyPlain } = await import('../track/json.js');
      let runs: RunSummary[];
      try {
        runs = listRuns(folder);
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        process.stderr.write(`${error.message}\n`);
        process.exitCode = 1;
        return;
      }
      if (json) console.log(stringifyPlain(runs, 2));
      else if (runs.length === 0) console.log(`${folder} holds no runs.`);
      else for (const line of runsTable(runs)) console.log(line);
    });
}
