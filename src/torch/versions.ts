/** Which versions of libtorch have an operator, for the message when the loaded one lacks it. */
import { operatorsOf } from './generated/versions.generated.js';

let table: Map<string, readonly string[]> | undefined;

/** Built on first need: only a program that is about to fail asks. */
function versionsByOperator(): ReadonlyMap<string, readonly string[]> {
  if (table !== undefined) return table;
  table = new Map();
  for (const [group, operators] of Object.entries(operatorsOf)) {
    const versions = group.split(' ');
    for (const operator of operators.trim().split(/\s+/)) {
      table.set(operator, versions);
      const name = operator.split('.', 1)[0] ?? operator;
      // Under the bare name stands every version that has at least one overload of it.
      const any = `${name} `;
      table.set(any, [...new Set([...(table.get(any) ?? []), ...versions])].sort(byVersion));
    }
  }
  return table;
}

const byVersion = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/**
 * The known versions that have an operator which some known version lacks; empty when none has it or all have it.
 * @param operator with or without `aten::`, e.g. `scaled_dot_product_attention`
 * @param overload e.g. `Tensor`, empty for the overload without a name; leave it out to ask for any overload
 */
export function versionsWith(operator: string, overload?: string): readonly string[] {
  const name = operator.replace(/^aten::/, '');
  const key = overload === undefined ? `${name} ` : overload === '' ? name : `${name}.${overload}`;
  return versionsByOperator().get(key) ?? [];
}

/**
 * One sentence for an operator that the loaded engine lacks, e.g.
 * `The loaded libtorch 1.13.0 lacks scaled_dot_product_attention; libtorch 2.13 and 2.14 have it.`
 * @param loaded version of the loaded engine
 */
export function missingOperatorMessage(operator: string, overload: string | undefined, loaded: string): string {
  const name = operator.replace(/^aten::/, '');
  const title = overload === undefined || overload === '' ? name : `${name}.${overload}`;
  const versions = versionsWith(operator, overload);
  const last = versions.at(-1);
  if (last === undefined) return `The loaded libtorch ${loaded} has no operator ${title}.`;
  const list = versions.length === 1 ? `${last} has` : `${versions.slice(0, -1).join(', ')} and ${last} have`;
  return `The loaded libtorch ${loaded} lacks ${title}; libtorch ${list} it.`;
}
