import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSnapshots } from '../../scripts/generate/snapshots.js';
import * as tables from '../../src/torch/generated/names.generated.js';
import { native } from '../../src/torch/load.js';
import { parseSchema } from '../../src/torch/schema.js';
import { versionsWith } from '../../src/torch/versions.js';

const version = native.info().torch.split('.').slice(0, 2).join('.');
const snapshots = readSnapshots();
const loaded = new Set(native.operatorNames());

describe(`the loaded engine, libtorch ${version}`, () => {
  it('has schemas that parse, under the names it lists them by', () => {
    assert.ok(loaded.size > 3000);
    const seen = new Set<string>();
    for (const name of new Set([...loaded].map((operator) => operator.split('.')[0]!))) {
      for (const text of native.schemas(name)) {
        const schema = parseSchema(text);
        assert.equal(schema.name, name);
        seen.add(schema.overload === '' ? name : `${name}.${schema.overload}`);
      }
    }
    assert.deepEqual(
      [...loaded].filter((name) => !seen.has(name)),
      [],
    );
  });

  const known = snapshots.versions.includes(version);
  it('has the aten operators that its snapshot has', { skip: known ? false : `no snapshot of ${version}` }, () => {
    const expected = [...snapshots.overloads].filter(
      ([name, { versions }]) => name.startsWith('aten::') && versions.includes(version),
    );
    const actual = [...loaded].filter((name) => name.startsWith('aten::'));
    assert.deepEqual(actual.sort(), expected.map(([name]) => name).sort());
  });

  it('has every generated method and function, or the version table says who has it', () => {
    const operators = new Set([...loaded].map((name) => name.split('.')[0]!));
    const missing: string[] = [];
    for (const table of [
      tables.methodNames,
      tables.torchFunctionNames,
      tables.linalgFunctionNames,
      tables.fftFunctionNames,
      tables.specialFunctionNames,
      tables.nnFunctionNames,
    ]) {
      for (const name of Object.values(table)) {
        if (operators.has(`aten::${name}`)) continue;
        const versions = versionsWith(name);
        assert.ok(versions.length > 0 && !versions.includes(version), `${name}: ${versions.join(', ')}`);
        missing.push(name);
      }
    }
    // 1.13 lacks a few dozen newer ones, newer engines lack what was removed: neither may become the rule.
    assert.ok(missing.length < 60, missing.join(' '));
  });
});
