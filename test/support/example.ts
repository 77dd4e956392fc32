/** Runs the programs in examples/ as a user would. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Whether `praxis` is built, as the examples import it. */
export const isBuilt = existsSync(`${root}dist/nn/index.js`);

/**
 * What a program of examples/ prints; an error with the end of what it complained about when it fails.
 * With `built` it imports `praxis` from dist/ as users do, else from the sources.
 */
export function runExample(
  file: string,
  { built = false, args = [] }: { built?: boolean; args?: readonly string[] } = {},
): string {
  const sources = built ? {} : { TSX_TSCONFIG_PATH: `${root}tsconfig.check.json` };
  const result = spawnSync(process.execPath, ['--import', 'tsx', `examples/${file}`, ...args], {
    cwd: root,
    encoding: 'utf8',
    // The runner's own variables would make a child report to it instead of printing.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...sources },
    maxBuffer: 2 ** 26,
  });
  if (result.status !== 0) throw new Error(`examples/${file}: ${result.stderr.split('\n').slice(-20).join('\n')}`);
  return result.stdout;
}
