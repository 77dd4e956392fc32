/** `praxis doctor`: what the engine is, what was set and why, and a remedy for what is not as it should be. */
import type { Command } from 'commander';
import type { Check, CheckStatus } from '../torch/checks.js';

const marks: Record<CheckStatus, string> = { ok: '✔', advice: '!', broken: '✘' };

/** The lines for one check. */
export function formatCheck(check: Check): string[] {
  const indent = ' '.repeat(14);
  return [
    `${marks[check.status]} ${check.name.padEnd(11)} ${check.value}`,
    ...(check.details ?? []).map((line) => `${indent}${line}`),
    ...(check.remedy === undefined ? [] : [`${indent}→ ${check.remedy}`]),
  ];
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('examine Node, the engine and this machine')
    .description(
      'Examines Node, the engine and this machine, and gives a remedy for what is not as it should be.\nExits with 1 when something essential is broken.',
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { diagnose } = await import('../torch/diagnosis.js');
      const diagnosis = await diagnose();
      if (json) console.log(JSON.stringify(diagnosis, null, 2));
      else for (const check of diagnosis.checks) for (const line of formatCheck(check)) console.log(line);
      if (!diagnosis.healthy) process.exitCode = 1;
    });
}
