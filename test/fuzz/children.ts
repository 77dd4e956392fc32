/** Runs fuzzing processes and finds out what became of them. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Something that must not happen. */
export interface Finding {
  readonly index: number;
  readonly title: string;
  readonly what: string;
  readonly call: string;
}

/** What one process reports. */
export interface Tally {
  readonly calls: number;
  readonly refused: number;
  readonly accepted: number;
  readonly operators: number;
  readonly titles: readonly string[];
  readonly findings: readonly Finding[];
  /** Handles that are alive although everything was dropped. */
  readonly handles: number;
  readonly peakBytes: number;
}

const child = fileURLToPath(new URL('./calls-child.ts', import.meta.url));
/** A call that takes longer counts as a hang. */
const HANG_MS = 60_000;

interface Outcome {
  readonly tally: Tally | null;
  /** How the process died, and in which call. */
  readonly death: Finding | null;
}

function runChild(seed: number, from: number, to: number): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-fuzz-'));
  const state = path.join(folder, 'state');
  const environment = {
    ...process.env,
    OMP_NUM_THREADS: '1',
    CUDA_VISIBLE_DEVICES: '',
    NODE_OPTIONS: '',
    // The heap's reserve of addresses would be room beyond the limit, and keep what one call took for all that follow.
    MALLOC_TRIM_THRESHOLD_: String(64 * 2 ** 20),
  };
  return new Promise((resolve) => {
    // What is compiled beside the program holds on to tensors that it has dropped, for as long as that takes.
    const program = ['--no-concurrent-recompilation', '--import', 'tsx', child];
    const running = spawn(process.execPath, [...program, String(seed), String(from), String(to), state], {
      env: environment,
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    running.stdout.on('data', (data: Buffer) => (output += data.toString()));
    running.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-4000)));
    let hung = false;
    const started = Date.now();
    const watch = setInterval(() => {
      const touched = statSync(state, { throwIfNoEntry: false })?.mtimeMs ?? started;
      if (Date.now() - Math.max(touched, started) < HANG_MS) return;
      hung = true;
      running.kill('SIGKILL');
    }, 1000);
    running.on('close', (code, signal) => {
      clearInterval(watch);
      let death: Finding | null = null;
      let tally: Tally | null = null;
      try {
        tally = JSON.parse(output.trim().split('\n').at(-1) as string) as Tally;
      } catch {
        let last = '';
        try {
          last = readFileSync(state, 'utf8').trim();
        } catch {
          // It died before its first call.
        }
        const [number = '-1', ...title] = last.split(' ');
        const what = hung ? `hung for ${HANG_MS / 1000} s` : `ended the process: ${signal ?? `exit code ${code}`}`;
        death = { index: Number(number || -1), title: title.join(' '), what, call: errors };
      }
      rmSync(folder, { recursive: true, force: true });
      resolve({ tally, death });
    });
  });
}

export interface FuzzReport {
  readonly calls: number;
  readonly refused: number;
  readonly titles: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  readonly handles: number;
  readonly peakBytes: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly calls: number;
  /** Calls per process. */
  readonly part: number;
  /** Processes at a time. */
  readonly parallel: number;
  /** After so many dead processes it stops. */
  readonly mostDeaths: number;
}

/** Runs calls 0 … `calls`. After a death it goes on behind the deadly call. */
export async function fuzzCalls(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, calls: count, part, parallel, mostDeaths } = options;
  const parts: [number, number][] = [];
  for (let from = 0; from < count; from += part) parts.push([from, Math.min(count, from + part)]);
  const findings: Finding[] = [];
  const titles = new Set<string>();
  let calls = 0;
  let refused = 0;
  let handles = 0;
  let peakBytes = 0;
  let deaths = 0;
  const work = async (): Promise<void> => {
    for (let next = parts.shift(); next !== undefined && deaths < mostDeaths; next = parts.shift()) {
      const [from, to] = next;
      const { tally, death } = await runChild(seed, from, to);
      if (death !== null) {
        deaths++;
        findings.push(death);
        if (death.index < from) return;
        calls += death.index - from;
        parts.unshift([death.index + 1, to]);
      }
      if (tally === null) continue;
      calls += tally.calls;
      refused += tally.refused;
      handles = Math.max(handles, tally.handles);
      peakBytes = Math.max(peakBytes, tally.peakBytes);
      findings.push(...tally.findings);
      for (const title of tally.titles) titles.add(title);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return { calls, refused, titles, findings, handles, peakBytes };
}
