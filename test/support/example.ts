/** Runs the programs in examples/ as a user would. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a program of examples/ prints; an error with the end of what it complained about when it fails. */
export function runExample(file: string, args: readonly string[] = []): string {
  const result = spawnSync(process.execPath, ['--import', 'tsx', `examples/${file}`, ...args], {
    cwd: root,
    encoding: 'utf8',
    // The runner's own variables would make a child report to it instead of printing.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    maxBuffer: 2 ** 26,
  });
  if (result.status !== 0) throw new Error(`examples/${file}: ${result.stderr.split('\n').slice(-20).join('\n')}`);
  return result.stdout;
}
