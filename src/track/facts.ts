/** What a run notes down about where it ran. Nothing here loads the engine. */
import { execFile } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The machine: processor, cores, memory, system, Node. */
export function machineFacts(): Record<string, unknown> {
  return {
    host: os.hostname(),
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
  };
}

/** Commit and cleanliness of the git repository that holds a folder; undefined where there is none, or no git. */
export async function gitFacts(folder: string): Promise<Record<string, unknown> | undefined> {
  const git = async (...args: string[]) =>
    (await run('git', args, { cwd: folder, timeout: 5000, maxBuffer: 2 ** 24 })).stdout.trim();
  try {
    const [commit, status] = await Promise.all([git('rev-parse', 'HEAD'), git('status', '--porcelain')]);
    return { commit, changedFiles: status === '' ? 0 : status.split('\n').length };
  } catch {
    return undefined;
  }
}

/** This process's command line as one would type it: `praxis train ./flowers --seed 3`. */
export function commandLine(args: readonly string[] = process.argv.slice(2), program = 'praxis'): string {
  const quote = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  return [program, ...args].map(quote).join(' ');
}
