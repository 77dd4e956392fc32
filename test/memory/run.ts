import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('./scenarios.ts', import.meta.url));

/** Why memory cannot be measured here, or false. */
export const skip = process.platform === 'linux' ? false : 'reads /proc, which only Linux has';

export const MB = 1e6;

/** Figures as a test takes them apart: it knows what each is. */
// biome-ignore lint/suspicious/noExplicitAny: the test says what it expects of each figure
type Measured = Readonly<Record<string, any>>;

/** Runs a scenario in a process of its own and gives its figures. One thread: pools of threads would blur what is measured. */
export function run(name: string, environment: NodeJS.ProcessEnv = {}): Promise<Measured> {
  // What is compiled beside the program holds on to tensors that it has dropped, for as long as that takes.
  const child = spawn(process.execPath, ['--no-concurrent-recompilation', '--import', 'tsx', file, name], {
    env: { ...process.env, OMP_NUM_THREADS: '1', NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output.trim().split('\n').at(-1) as string));
      else reject(new Error(`Scenario ${name} ended with ${signal ?? code}: ${errors.slice(-3000)}`));
    });
  });
}
