/** Modules as text: what Python's `repr` of the same module writes. */
import { formatRepr } from '../torch/print-numbers.js';
import { type AnyModule, Module } from './module.js';

const indent = (text: string): string => text.replaceAll('\n', '\n  ');

/** The frame of `repr`: lines of extra information and of children between parentheses. */
export function frame(title: string, extra: string, children: readonly string[]): string {
  const extraLines = extra === '' ? [] : extra.split('\n');
  const lines = [...extraLines, ...children];
  if (lines.length === 0) return `${title}()`;
  if (extraLines.length === 1 && children.length === 0) return `${title}(${extra})`;
  return `${title}(\n  ${lines.join('\n  ')}\n)`;
}

/** Source: `torch.nn.Module.__repr__`. */
export function formatModule(module: AnyModule): string {
  const children: string[] = [];
  for (const { name, value } of module.moduleFields())
    if (value instanceof Module) children.push(`(${name}): ${indent(String(value))}`);
  return frame(module.constructor.name, module.extraRepr(), children);
}

/** `ModuleList` of PyTorch 2: neighbours that print alike share a line, `(0-2): 3 x Linear(…)`. */
export function formatList(module: AnyModule): string {
  const groups: { first: string; last: string; count: number; text: string }[] = [];
  for (const { name, value } of module.moduleFields()) {
    const text = String(value);
    const group = groups.at(-1);
    if (group !== undefined && group.text === text) {
      group.last = name;
      group.count++;
    } else groups.push({ first: name, last: name, count: 1, text });
  }
  const children = groups.map(({ first, last, count, text }) =>
    count === 1 ? `(${first}): ${indent(text)}` : `(${first}-${last}): ${count} x ${indent(text)}`,
  );
  return frame(module.constructor.name, module.extraRepr(), children);
}

/** A number that is a float in PyTorch: `1.0`, `1e-05`. */
export const float = formatRepr;

/** A boolean as Python writes it. */
export const bool = (value: boolean): string => (value ? 'True' : 'False');

/** A tuple as Python writes it: `(3, 3)`, `(3,)`. */
export const tuple = (values: readonly number[]): string =>
  values.length === 1 ? `(${values[0]},)` : `(${values.join(', ')})`;

/** A number or tuple as given. */
export const numbers = (value: number | readonly number[]): string =>
  typeof value === 'number' ? String(value) : tuple(value);

/** A string as Python writes it. */
export const quoted = (value: string): string => `'${value}'`;
