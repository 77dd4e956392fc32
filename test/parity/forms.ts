/** The ways in which a program can call an operator: as a method, as a function of a namespace, as `torch.ops.aten.…`. */
import * as names from '../../src/torch/generated/names.generated.js';
import { Tensor, torch } from '../../src/torch/index.js';

export interface Form {
  /** e.g. `x.addmm`, `torch.linalg.inv`. */
  readonly title: string;
  /** False for functions of torch that are written by hand. */
  readonly generated: boolean;
  readonly call: (args: readonly unknown[], options: Readonly<Record<string, unknown>> | null) => unknown;
}

type Callable = (...args: unknown[]) => unknown;
type Namespace = Readonly<Record<string, Callable>>;

const withOptions = (args: readonly unknown[], options: Readonly<Record<string, unknown>> | null): unknown[] =>
  options === null ? [...args] : [...args, options];

/** TypeScript names of an operator in a table. */
function titlesOf(table: Readonly<Record<string, string>>): Map<string, string[]> {
  const titles = new Map<string, string[]>();
  for (const [title, operator] of Object.entries(table)) {
    const list = titles.get(operator);
    if (list === undefined) titles.set(operator, [title]);
    else list.push(title);
  }
  return titles;
}

const methods = titlesOf(names.methodNames);
const namespaces: readonly (readonly [string, Map<string, string[]>, Namespace])[] = [
  ['torch', titlesOf(names.torchFunctionNames), torch as unknown as Namespace],
  ['torch.linalg', titlesOf(names.linalgFunctionNames), torch.linalg as unknown as Namespace],
  ['torch.fft', titlesOf(names.fftFunctionNames), torch.fft as unknown as Namespace],
  ['torch.special', titlesOf(names.specialFunctionNames), torch.special as unknown as Namespace],
];
const aten = torch.ops.aten as unknown as Namespace;

function methodForm(title: string): Form {
  const position = names.selfPositions[title] ?? 0;
  return {
    title: `x.${title}`,
    generated: true,
    call: (args, options) => {
      const self = args[position];
      if (!(self instanceof Tensor)) throw new TypeError(`x.${title}: self is no tensor`);
      const rest = [...args.slice(0, position), ...args.slice(position + 1)];
      return (self as unknown as Namespace)[title]!(...withOptions(rest, options));
    },
  };
}

/** All public forms of an operator, the most natural first, `torch.ops.aten` last. `self` says whether a method could be called. */
export function formsOf(operator: string, args: readonly unknown[]): Form[] {
  const forms: Form[] = [];
  for (const title of methods.get(operator) ?? []) {
    if (!(args[names.selfPositions[title] ?? 0] instanceof Tensor)) continue;
    const form = methodForm(title);
    forms.push(form);
    if (names.varargsMethods.has(title) && args.length === 2 && Array.isArray(args[1]) && args[1].length > 1)
      forms.push({
        title: `x.${title}(...)`,
        generated: true,
        call: (all, options) => form.call([all[0], ...(all[1] as unknown[])], options),
      });
  }
  for (const [space, titles, holder] of namespaces)
    for (const title of titles.get(operator) ?? [])
      forms.push({
        title: `${space}.${title}`,
        generated: true,
        call: (all, options) => holder[title]!(...withOptions(all, options)),
      });
  const camel = operator.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  // Functions of torch that are written by hand.
  if (forms.every((form) => !form.title.startsWith('torch.')) && Object.hasOwn(torch, camel))
    forms.push({
      title: `torch.${camel}`,
      generated: false,
      call: (all, options) => (torch as unknown as Namespace)[camel]!(...withOptions(all, options)),
    });
  forms.push({
    title: `torch.ops.aten.${operator}`,
    generated: true,
    call: (all, options) => aten[operator]!(...withOptions(all, options)),
  });
  return forms;
}
