/** `praxis setup`: runs scripts/setup.mjs, which needs neither packages nor a build. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Command } from 'commander';
import { packageRoot } from '../torch/engine.js';

export function addSetup(program: Command): void {
  program
    .command('setup')
    .summary('find or get libtorch and build the bridge')
    .description(
      'Installs what is missing, finds libtorch (or gets it), builds the bridge and the TypeScript. Safe to run again.',
    )
    .option('--engine <dir>', 'keep the engine in <dir> (then set PRAXIS_ENGINE_DIR to it)')
    .option('--rebuild', 'look for libtorch again and build everything anew')
    .option('--offline', 'fetch nothing; fail with instructions where something is missing')
    .option('--no-typescript', 'leave dist/ alone')
    .option('--quiet', 'print failures only')
    .action(
      (options: { engine?: string; rebuild?: boolean; offline?: boolean; typescript: boolean; quiet?: boolean }) => {
        const args = [path.join(packageRoot, 'scripts', 'setup.mjs')];
        if (options.engine !== undefined) args.push('--engine', options.engine);
        if (!options.typescript) args.push('--no-typescript');
        for (const name of ['rebuild', 'offline', 'quiet'] as const) if (options[name]) args.push(`--${name}`);
        process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
      },
    );
}
