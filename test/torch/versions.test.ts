import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSnapshots } from '../../scripts/generate/snapshots.js';
import { knownVersions } from '../../src/torch/generated/versions.generated.js';
import { missingOperatorMessage, versionsWith } from '../../src/torch/versions.js';

describe('versionsWith', () => {
  it('answers for every operator that some engine lacks, and is silent on the others', () => {
    const { overloads, versions } = readSnapshots();
    assert.deepEqual(knownVersions, versions);
    let partial = 0;
    for (const [name, overload] of overloads) {
      const bare = name.split('.')[0]!;
      const expected = overload.versions.length === versions.length ? [] : overload.versions;
      if (expected.length > 0) partial++;
      assert.deepEqual(versionsWith(bare, overload.overload), expected, name);
    }
    assert.ok(partial > 400);
  });

  it('joins overloads when none is named', () => {
    assert.deepEqual(versionsWith('scaled_dot_product_attention'), ['2.13', '2.14']);
    assert.deepEqual(versionsWith('aten::_fused_adamw_'), ['2.13', '2.14']);
    assert.deepEqual(versionsWith('symeig'), ['1.13']);
    assert.deepEqual(versionsWith('aten::add'), []);
    assert.deepEqual(versionsWith('aten::no_such_operator'), []);
  });
});

describe('missingOperatorMessage', () => {
  it('names the versions that have the operator', () => {
    assert.equal(
      missingOperatorMessage('aten::scaled_dot_product_attention', undefined, '1.13.0'),
      'The loaded libtorch 1.13.0 lacks scaled_dot_product_attention; libtorch 2.13 and 2.14 have it.',
    );
    assert.equal(
      missingOperatorMessage('aten::symeig', undefined, '2.13.0'),
      'The loaded libtorch 2.13.0 lacks symeig; libtorch 1.13 has it.',
    );
    assert.equal(
      missingOperatorMessage('aten::sum', 'dim_DimnameList', '2.13.0'),
      'The loaded libtorch 2.13.0 lacks sum.dim_DimnameList; libtorch 1.13 has it.',
    );
  });

  it('does not promise what no version has', () => {
    assert.equal(
      missingOperatorMessage('aten::frobnicate', '', '2.13.0'),
      'The loaded libtorch 2.13.0 has no operator frobnicate.',
    );
  });
});
