/** Programs in a process of their own, for what would end the test's: exits, crashes, peak memory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs TypeScript code with the engine of this process. `torch` and `native` are imported.
 * @param code body of a module
 * @param seconds after which it counts as hanging: `signal` is then SIGTERM
 * @param environment what differs from this process's
 */
export function runProgram(code: string, seconds = 240, environment: NodeJS.ProcessEnv = {}): Ended {
  // Within the repository, so that imports and the module type are the ones of the tests.
  const folder = mkdtempSync(path.join(root, 'test', '.program-'));
  const file = path.join(folder, 'program.ts');
  writeFileSync(
    file,
    `import { torch, type Tensor, type FunctionContext } from '../../src/torch/index.js';\nimport { native } from '../../src/torch/load.js';\nvoid native;\n${code}`,
  );
  try {
    const ended = spawnSync(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      encoding: 'utf8',
      timeout: seconds * 1000,
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...environment },
    });
    return { status: ended.status, signal: ended.signal, stdout: ended.stdout, stderr: ended.stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
