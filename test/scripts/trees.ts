/** Made-up folder trees for the tests of set-up and of the checkers. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** An empty folder that is removed after the test. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files, given as relative path → text, below a folder. */
export function writeTree(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

const library = process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so';

/** The files that make a folder a libtorch of some version; `lib` is where its libraries lie. */
export function libtorchFiles(version: string, lib = 'lib'): Record<string, string> {
  const [major, minor, patch] = version.split('.');
  return {
    [`${lib}/${library}`]: `library ${version}`,
    [`${lib}/libc10.so`]: '\0_ZN3c105ErrorC1ENSt7__cxx1112basic_stringIcEE\0',
    'include/ATen/core/dispatch/Dispatcher.h': '',
    'include/torch/csrc/api/include/torch/version.h': [
      `#define TORCH_VERSION_MAJOR ${major}`,
      `#define TORCH_VERSION_MINOR ${minor}`,
      `#define TORCH_VERSION_PATCH ${patch}`,
    ].join('\n'),
  };
}
