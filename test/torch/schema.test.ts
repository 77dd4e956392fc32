import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  type FunctionSchema,
  parseSchema,
  type SchemaAlias,
  type SchemaDefault,
  SchemaSyntaxError,
  type SchemaType,
} from '../../src/torch/schema.js';

const folder = new URL('../../scripts/generate/', import.meta.url);
const engines = readdirSync(folder)
  .filter((file) => file.startsWith('schemas-'))
  .map((file) => ({
    version: file.slice('schemas-'.length, -'.txt.gz'.length),
    lines: gunzipSync(readFileSync(new URL(file, folder)))
      .toString()
      .trim()
      .split('\n'),
  }));

const tensor: SchemaType = { base: 'Tensor', list: false, listSize: null, optional: false, elementOptional: false };

/** Writes a parsed schema the way the engine prints it, without the values of defaults. */
function print(schema: FunctionSchema): string {
  const alias = (a: SchemaAlias | null) => (a === null ? '' : `(${a.set}${a.write ? '!' : ''})`);
  const type = (t: SchemaType, a: SchemaAlias | null) => {
    const element = t.base.replace(/(\[\])*$/, (brackets) => alias(a) + brackets);
    if (!t.list) return `${element}${t.optional ? '?' : ''}`;
    return `${element}${t.elementOptional ? '?' : ''}[${t.listSize ?? ''}]${t.optional ? '?' : ''}`;
  };
  const args: string[] = [];
  let star = false;
  for (const argument of schema.arguments) {
    if (argument.keywordOnly && !star) args.push('*');
    star ||= argument.keywordOnly;
    args.push(`${type(argument.type, argument.alias)} ${argument.name}${argument.default === undefined ? '' : '=…'}`);
  }
  const results = schema.returns.map((r) => `${type(r.type, r.alias)}${r.name === '' ? '' : ` ${r.name}`}`);
  const result = schema.returnsVary ? '...' : results.length === 1 ? results[0] : `(${results.join(', ')})`;
  const name = schema.overload === '' ? schema.name : `${schema.name}.${schema.overload}`;
  return `${name}(${schema.isVariadic ? '...' : args.join(', ')}) -> ${result}`;
}

const DEFAULT = /=(\[[^\]]*\]|"(?:\\.|[^"\\])*"|[^,)]+)/g;

/** The part of the engine's text that `print` reproduces: `-> *` and the place of a list's annotation are not kept. */
const comparable = (text: string) =>
  text
    .replace(DEFAULT, '=…')
    .replace(/ -> \*\)/g, ')')
    .replace(/(\[\d*\])(\(\w+!?\))/g, '$2$1');

/** Defaults by another road: Python's literals turned into JSON. */
function defaultsOf(text: string): unknown[] {
  return [...text.matchAll(DEFAULT)].map(([, literal = '']) => {
    if (literal.startsWith('"')) return JSON.parse(literal.replaceAll("\\'", "'"));
    const json = literal
      .replace('None', 'null')
      .replace('True', 'true')
      .replace('False', 'false')
      .replace(/(\d)\.(?!\d)/g, '$1.0');
    return JSON.parse(json);
  });
}

describe('parseSchema', () => {
  for (const { version, lines } of engines) {
    it(`reads every schema of libtorch ${version} (${lines.length}) and loses nothing`, () => {
      assert.ok(lines.length > 3000);
      for (const line of lines) {
        const schema = parseSchema(line);
        assert.equal(print(schema), comparable(line));
        const given = schema.arguments.map((argument) => argument.default).filter((value) => value !== undefined);
        assert.deepEqual(given, defaultsOf(line) as SchemaDefault[], line);
      }
    });
  }

  it('reads names, defaults and what may only be given by name', () => {
    const schema = parseSchema('aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor');
    assert.equal(schema.name, 'aten::add');
    assert.equal(schema.overload, 'Tensor');
    assert.equal(schema.isMethodCandidate, true);
    assert.deepEqual(schema.arguments, [
      { name: 'self', type: tensor, default: undefined, keywordOnly: false, alias: null },
      { name: 'other', type: tensor, default: undefined, keywordOnly: false, alias: null },
      { name: 'alpha', type: { ...tensor, base: 'Scalar' }, default: 1, keywordOnly: true, alias: null },
    ]);
    assert.deepEqual(schema.returns, [{ name: '', type: tensor, alias: null }]);
  });

  it('tells the kinds of lists and optionals apart', () => {
    const types = parseSchema(
      'a::b(int[2]? a, Tensor?[] b, Tensor[][] c, SymInt[1] d, Scalar? e, float[]? f) -> ()',
    ).arguments;
    assert.deepEqual(
      types.map(({ type: t }) => [t.base, t.list, t.listSize, t.optional, t.elementOptional]),
      [
        ['int', true, 2, true, false],
        ['Tensor', true, null, false, true],
        ['Tensor[]', true, null, false, false],
        ['SymInt', true, 1, false, false],
        ['Scalar', false, null, true, false],
        ['float', true, null, true, false],
      ],
    );
  });

  it('reads aliases wherever the engine puts them', () => {
    const schema = parseSchema(
      'a::b(Tensor(a!) self, Tensor(b!)[] c, Tensor[](d!) e, Tensor(f -> *) g, Tensor h) -> Tensor(b|a)',
    );
    assert.deepEqual(
      schema.arguments.map((argument) => argument.alias),
      [
        { set: 'a', write: true },
        { set: 'b', write: true },
        { set: 'd', write: true },
        { set: 'f', write: false },
        null,
      ],
    );
    assert.deepEqual(schema.returns[0]?.alias, { set: 'b|a', write: false });
  });

  it('reads every kind of default', () => {
    const text =
      'a::b(int a=-100, float b=1.0000000000000001e-05, float c=1., bool d=True, int[2] e=[-2, -1], str f="a\\"b\\\\\\\'", ' +
      'Tensor? g=None, int[] h=[], int i=9223372036854775807, float j=inf, float k=-inf, str l="x, y)") -> Tensor';
    assert.deepEqual(
      parseSchema(text).arguments.map((argument) => argument.default),
      [-100, 1e-5, 1, true, [-2, -1], 'a"b\\\'', null, [], 9223372036854775807n, Infinity, -Infinity, 'x, y)'],
    );
  });

  it('reads named, several, class-typed and dictionary results', () => {
    const named = parseSchema(
      'aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)',
    );
    assert.deepEqual(
      named.returns.map((result) => result.name),
      ['values', 'indices'],
    );
    assert.deepEqual(parseSchema('a::b(Tensor self) -> ()').returns, []);
    assert.equal(
      parseSchema('a::b(int x) -> __torch__.torch.classes.c10d.Work').returns[0]?.type.base,
      '__torch__.torch.classes.c10d.Work',
    );
    assert.equal(parseSchema('a::b(int x) -> Dict(Tensor, Tensor)').returns[0]?.type.base, 'Dict(Tensor, Tensor)');
  });

  it('calls an operator a method candidate only when its first argument is a tensor named self', () => {
    assert.equal(parseSchema('a::b(Tensor[] self) -> ()').isMethodCandidate, false);
    assert.equal(parseSchema('a::b(Tensor condition, Tensor self) -> ()').isMethodCandidate, false);
    assert.equal(parseSchema('a::b() -> ()').isMethodCandidate, false);
  });

  for (const [text, message] of [
    ['aten::add', /'\(' after the operator's name/],
    ['aten::add(Tensor self -> Tensor', /position 21: expected ',' or '\)'/],
    ['aten::add(Tensor) -> Tensor', /a blank and the argument's name/],
    ['aten::add(Tensor self)', /' -> ' and the results/],
    ['aten::add(Tensor self) -> Tensor, Tensor', /the end of the schema/],
    ['aten::add(int[x] self) -> Tensor', /expected '\]'/],
    ['aten::add(str a="b) -> Tensor', /a closing quote/],
    ['aten::add(int a=1.2.3) -> Tensor', /a number instead of '1.2.3'/],
    ['aten::add(Tensor(a! self) -> Tensor', /position/],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => parseSchema(text),
        (error) => error instanceof SchemaSyntaxError && message.test(error.message),
      );
    });
  }

  it('refuses every schema that is cut short', () => {
    const text =
      'aten::max.dim(Tensor(a!) self, int[2] dim=[1, 2], str s="x", *, bool? k=None) -> (Tensor values, Tensor i)';
    for (let length = 0; length < text.length; length++) {
      assert.throws(() => parseSchema(text.slice(0, length)), SchemaSyntaxError, text.slice(0, length));
    }
  });

  it('takes under 20 µs a schema', () => {
    const lines = engines.at(-1)!.lines;
    for (const line of lines) parseSchema(line);
    const rounds = Array.from({ length: 5 }, () => {
      const start = performance.now();
      for (const line of lines) parseSchema(line);
      return ((performance.now() - start) * 1000) / lines.length;
    });
    assert.ok(Math.min(...rounds) < 20, `${Math.min(...rounds).toFixed(1)} µs`);
  });
});
