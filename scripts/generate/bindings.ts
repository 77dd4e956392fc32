/**
 * Maintainer's tool, run once per new engine: reads which operators PyTorch shows as functions and which as methods from its
 * `native_functions.yaml` (installed with Python's torch, in `torchgen/packaged/ATen/native`) into `bindings.txt`,
 * which keeps the union over engines.
 *
 *     node --import tsx scripts/generate/bindings.ts path/to/native_functions.yaml …
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const TARGET = new URL('bindings.txt', import.meta.url);

const variants = new Map<string, Set<string>>();
const modules = new Map<string, string>();

function add(key: string, letters: string, module: string): void {
  const known = variants.get(key) ?? new Set<string>();
  for (const letter of letters) known.add(letter);
  variants.set(key, known);
  if (module !== '') modules.set(key, module);
}

if (existsSync(TARGET)) {
  for (const line of readFileSync(TARGET, 'utf8').trim().split('\n')) {
    const [key = '', letters = '', module = ''] = line.split(' ');
    add(key, letters, module);
  }
}
for (const path of process.argv.slice(2)) {
  for (const entry of readFileSync(path, 'utf8')
    .split(/^- func: /m)
    .slice(1)) {
    const key = entry.slice(0, entry.indexOf('('));
    // Private operators are reached through torch.ops.aten and need no entry.
    if (key.startsWith('_')) continue;
    const kinds = /^ {2}variants: ([^#\n]*)/m.exec(entry)?.[1] ?? 'function';
    const module = /^ {2}python_module: (\w+)/m.exec(entry)?.[1] ?? '';
    add(key, (kinds.includes('function') ? 'f' : '') + (kinds.includes('method') ? 'm' : ''), module);
  }
}
const lines = [...variants.keys()].sort().map((key) => {
  const letters = [...(variants.get(key) ?? [])].sort().join('');
  return [key, letters, modules.get(key)].filter(Boolean).join(' ');
});
writeFileSync(TARGET, `${lines.join('\n')}\n`);
console.log(`${lines.length} bindings`);
