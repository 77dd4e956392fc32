/**
 * Writes the cases whose trajectories are stored; `scripts/golden/optimizers.py --golden` then writes the trajectories:
 * `node --import tsx scripts/golden/optimizers.ts && python3 scripts/golden/optimizers.py --golden`
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allCases } from '../../test/optim/cases.js';
import { scheduleCases } from '../../test/optim/schedule-cases.js';

const write = (name: string, cases: unknown) =>
  writeFileSync(
    fileURLToPath(new URL(`../../test/golden/${name}.cases.json`, import.meta.url)),
    `${JSON.stringify(cases)}\n`,
  );

write('optimizers', allCases('float64', 30));
write('schedules', scheduleCases());
