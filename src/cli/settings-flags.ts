/** The flags of `praxis train`, made from the schema of the settings. */
import { type Command, Option } from 'commander';
import { fieldFacts, flagOf, groups, type SettingName, settingNames, trainSchema } from '../train/config/schema.js';

const isBoolean = (name: SettingName): boolean => trainSchema.shape[name].safeParse(true).data === true;

/** The default of a setting, as help shows it. */
function defaultText(name: SettingName): string {
  const value = trainSchema.shape[name].safeParse(undefined).data;
  if (value === undefined) return '';
  if (name === 'split') return ' (default: 70/15/15)';
  return ` (default: ${Array.isArray(value) ? value.join('x') : String(value)})`;
}

/** The words a setting takes beside numbers: `auto`, `adamw`, …. */
function wordsOf(name: SettingName): string[] {
  const { def } = trainSchema.shape[name] as unknown as { def: { innerType?: unknown } };
  const found: string[] = [];
  const visit = (schema: unknown): void => {
    const inner = (schema as { def?: Record<string, unknown> } | undefined)?.def;
    if (inner === undefined) return;
    if (inner.type === 'enum') found.push(...Object.values(inner.entries as Record<string, string>));
    if (inner.type === 'literal')
      found.push(...(inner.values as unknown[]).filter((x): x is string => typeof x === 'string'));
    if (Array.isArray(inner.options)) for (const option of inner.options) visit(option);
    visit(inner.innerType);
  };
  visit({ def });
  return found;
}

/** Adds a flag for every setting but those left out, under the headings of the schema. */
export function addSettings(command: Command, without: readonly SettingName[] = []): void {
  for (const group of Object.keys(groups) as (keyof typeof groups)[]) {
    for (const name of settingNames.filter((one) => fieldFacts[one].group === group && !without.includes(one))) {
      const { value, help } = fieldFacts[name];
      const words = wordsOf(name);
      const hint = words.length > 0 && !help.includes(words[0] as string) ? `; ${words.join(', ')}` : '';
      const option = isBoolean(name)
        ? new Option(`--no-${flagOf(name)}`, `do not ${help}`)
        : new Option(`--${flagOf(name)} ${value}`, `${help}${hint}${defaultText(name)}`);
      command.addOption(option.helpGroup(`${groups[group]}:`));
    }
  }
}

/** What was given on the command line, by setting. */
export function givenSettings(command: Command): Partial<Record<SettingName, string | boolean>> {
  const given: Partial<Record<SettingName, string | boolean>> = {};
  for (const name of settingNames)
    if (command.getOptionValueSource(name) === 'cli') given[name] = command.getOptionValue(name) as string | boolean;
  return given;
}
