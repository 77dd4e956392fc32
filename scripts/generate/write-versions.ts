/** Writes which engines have the operators that not every engine has. */
import type { Snapshots } from './snapshots.js';
import { fill, heading } from './text.js';

export function writeVersions(snapshots: Snapshots): string {
  const groups = new Map<string, string[]>();
  for (const [operator, { versions }] of snapshots.overloads) {
    if (versions.length === snapshots.versions.length) continue;
    const group = versions.join(' ');
    groups.set(group, [...(groups.get(group) ?? []), operator.replace(/^aten::/, '')]);
  }
  let text = heading(
    'Which engines have the operators that not every engine has; read through `src/torch/versions.ts`.',
  );
  text += '/** The engines whose operators are known, ascending. */\n';
  text += `export const knownVersions: readonly string[] = [${snapshots.versions.map((v) => `'${v}'`).join(', ')}];\n\n`;
  text +=
    '/** Engines, separated by blanks → the operators with overload that just these have (`aten::` left out). */\n';
  text += 'export const operatorsOf: Readonly<Record<string, string>> = {\n';
  for (const group of [...groups.keys()].sort()) {
    text += `  '${group}': \`\n${fill(groups.get(group)!).join('\n')}\`,\n`;
  }
  return `${text}};\n`;
}
