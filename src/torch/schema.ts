/**
 * Reads the text of a libtorch `FunctionSchema`, such as
 * `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`, into a typed structure.
 *
 * The grammar is the one that `c10/core`'s `operator<<(std::ostream&, const FunctionSchema&)` prints, which is wider than
 * `native_functions.yaml`: enumerations are printed as numbers, lists may be nested, and class types and dictionaries occur.
 */

/** A type in a schema. `Tensor?[]` has base `Tensor`, `list` and `elementOptional`; `int[2]?` has `listSize` 2 and `optional`. */
export interface SchemaType {
  /**
   * The innermost name: `Tensor`, `Scalar`, `int`, `SymInt`, `float`, `bool`, `str`, `ScalarType`, `Layout`, `MemoryFormat`,
   * `Device`, `Generator`, `Storage`, `Stream`, `Any`, a class (`__torch__.torch.classes.…`) or a dictionary (`Dict(int, Tensor)`).
   * In a list of lists it keeps the inner brackets: `Tensor[][]` has base `Tensor[]`.
   */
  readonly base: string;
  readonly list: boolean;
  /** Length written in the brackets, `2` for `int[2]`; a single value stands for that many. `null` when none is written. */
  readonly listSize: number | null;
  /** `null` is accepted in place of the whole value. */
  readonly optional: boolean;
  /** `null` is accepted in place of an element of the list. */
  readonly elementOptional: boolean;
}

/** Who shares memory with whom: `Tensor(a!)` is `{ set: 'a', write: true }`, `Tensor(a -> *)` is `{ set: 'a', write: false }`. */
export interface SchemaAlias {
  readonly set: string;
  readonly write: boolean;
}

/** The value that a default stands for. `undefined` (no default) is kept apart from `null` (`None`). */
export type SchemaDefault = null | boolean | number | bigint | string | readonly SchemaDefault[];

export interface SchemaArgument {
  /** As written in the schema, snake_case. */
  readonly name: string;
  readonly type: SchemaType;
  /** `undefined` when the argument must be given. */
  readonly default: SchemaDefault | undefined;
  /** Stands after `*`: may only be given by name. */
  readonly keywordOnly: boolean;
  readonly alias: SchemaAlias | null;
}

export interface SchemaReturn {
  /** Empty when the schema gives none. */
  readonly name: string;
  readonly type: SchemaType;
  readonly alias: SchemaAlias | null;
}

export interface FunctionSchema {
  /** With its namespace, without overload: `aten::add`. */
  readonly name: string;
  /** Empty for the overload that has no name. */
  readonly overload: string;
  readonly arguments: readonly SchemaArgument[];
  readonly returns: readonly SchemaReturn[];
  /** The first argument is a tensor named `self`, so the operator can be called on one. */
  readonly isMethodCandidate: boolean;
  /** The operator takes any number of values (`...`), e.g. `static_runtime::VarTupleUnpack`; `arguments` is then empty. */
  readonly isVariadic: boolean;
  /** The results' number and types are decided by the call (`-> ...`); `returns` is then empty. */
  readonly returnsVary: boolean;
}

/** A schema that does not follow the grammar. Says where, because the text comes from an engine and not from the user. */
export class SchemaSyntaxError extends Error {
  override readonly name = 'SchemaSyntaxError';
}

/**
 * Parses one schema.
 * @param text as the engine prints it, without surrounding blanks
 * @throws SchemaSyntaxError naming the position and what was expected there
 */
export function parseSchema(text: string): FunctionSchema {
  return new Parser(text).schema();
}

const Code = {
  space: 32,
  exclamation: 33,
  doubleQuote: 34,
  singleQuote: 39,
  open: 40,
  close: 41,
  star: 42,
  plus: 43,
  comma: 44,
  minus: 45,
  dot: 46,
  equals: 61,
  question: 63,
  openBracket: 91,
  backslash: 92,
  closeBracket: 93,
  underscore: 95,
} as const;

const isDigit = (code: number) => code >= 48 && code <= 57;
const isWord = (code: number) =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || isDigit(code) || code === Code.underscore;

/** One pass over the text, no regular expressions: a schema is read when its operator is first used, and that must not be felt. */
class Parser {
  private at = 0;
  private alias: SchemaAlias | null = null;

  constructor(private readonly text: string) {}

  schema(): FunctionSchema {
    const open = this.text.indexOf('(');
    if (open < 0) this.fail("a '(' after the operator's name");
    const dot = this.text.indexOf('.', this.text.indexOf('::') + 2);
    const hasOverload = dot > 0 && dot < open;
    const name = this.text.slice(0, hasOverload ? dot : open);
    const overload = hasOverload ? this.text.slice(dot + 1, open) : '';
    if (name === '' || name.includes(' ')) this.fail("an operator's name such as aten::add");
    this.at = open + 1;

    const args: SchemaArgument[] = [];
    let isVariadic = false;
    let keywordOnly = false;
    while (this.code() !== Code.close) {
      if (this.code() === Code.star) {
        keywordOnly = true;
        this.at++;
      } else if (this.takeEllipsis()) isVariadic = true;
      else args.push(this.argument(keywordOnly));
      if (!this.takeSeparator()) break;
    }
    this.expect(Code.close, "',' or ')'");
    if (!this.text.startsWith(' -> ', this.at)) this.fail("' -> ' and the results");
    this.at += 4;
    const returnsVary = this.takeEllipsis();
    const returns = returnsVary ? [] : this.returns();
    if (this.at !== this.text.length) this.fail('the end of the schema');

    const first = args[0];
    const isMethodCandidate =
      first !== undefined && first.name === 'self' && first.type.base === 'Tensor' && !first.type.list;
    return { name, overload, arguments: args, returns, isMethodCandidate, isVariadic, returnsVary };
  }

  private argument(keywordOnly: boolean): SchemaArgument {
    const type = this.type();
    const alias = this.alias;
    this.expect(Code.space, "a blank and the argument's name");
    const name = this.word("the argument's name");
    let value: SchemaDefault | undefined;
    if (this.code() === Code.equals) {
      this.at++;
      value = this.value();
    }
    return { name, type, default: value, keywordOnly, alias };
  }

  private returns(): SchemaReturn[] {
    if (this.code() !== Code.open) return [this.result()];
    this.at++;
    const results: SchemaReturn[] = [];
    while (this.code() !== Code.close) {
      results.push(this.result());
      if (!this.takeSeparator()) break;
    }
    this.expect(Code.close, "',' or ')'");
    return results;
  }

  private result(): SchemaReturn {
    const type = this.type();
    const alias = this.alias;
    let name = '';
    if (this.code() === Code.space) {
      this.at++;
      name = this.word("the result's name");
    }
    return { name, type, alias };
  }

  /** Leaves the alias annotation of the type, or null, in `this.alias`. */
  private type(): SchemaType {
    this.alias = null;
    const start = this.at;
    while (isWord(this.code()) || this.code() === Code.dot) this.at++;
    if (this.at === start) this.fail('a type');
    let base = this.text.slice(start, this.at);
    if (this.code() === Code.open) {
      if (base === 'Dict' || base === 'Tuple' || base === 'Future') base += this.parenthesised();
      else this.readAlias();
    }
    let list = false;
    let listSize: number | null = null;
    let optional = false;
    let elementOptional = false;
    for (;;) {
      const code = this.code();
      if (code === Code.question) {
        optional = true;
        this.at++;
      } else if (code === Code.openBracket) {
        if (list) {
          base += listSize === null ? '[]' : `[${listSize}]`;
          if (elementOptional) base += '?';
        }
        elementOptional = optional;
        optional = false;
        list = true;
        listSize = this.brackets();
      } else if (code === Code.open) this.readAlias();
      else break;
    }
    return { base, list, listSize, optional, elementOptional };
  }

  private brackets(): number | null {
    this.at++;
    let size: number | null = null;
    while (isDigit(this.code())) {
      size = (size ?? 0) * 10 + this.code() - 48;
      this.at++;
    }
    this.expect(Code.closeBracket, "']'");
    return size;
  }

  private readAlias(): void {
    const inner = this.parenthesised().slice(1, -1);
    const arrow = inner.indexOf(' -> ');
    const before = arrow < 0 ? inner : inner.slice(0, arrow);
    const write = before.endsWith('!');
    this.alias = { set: write ? before.slice(0, -1) : before, write };
  }

  /** The text from `(` to the matching `)`, both included. */
  private parenthesised(): string {
    const start = this.at;
    let depth = 0;
    for (; this.at < this.text.length; this.at++) {
      const code = this.code();
      if (code === Code.open) depth++;
      else if (code === Code.close && --depth === 0) {
        this.at++;
        return this.text.slice(start, this.at);
      }
    }
    return this.fail("')'");
  }

  private value(): SchemaDefault {
    const code = this.code();
    if (code === Code.openBracket) return this.list();
    if (code === Code.doubleQuote || code === Code.singleQuote) return this.string(code);
    if (isDigit(code) || code === Code.minus || code === Code.dot) return this.number();
    const word = this.word('a default value');
    switch (word) {
      case 'None':
        return null;
      case 'True':
        return true;
      case 'False':
        return false;
      case 'inf':
        return Infinity;
      case 'nan':
        return NaN;
      default:
        // Names of enumeration members (`contiguous_format`, `Mean`) occur in yaml files; the engine prints numbers.
        return word;
    }
  }

  private list(): SchemaDefault[] {
    this.at++;
    const values: SchemaDefault[] = [];
    while (this.code() !== Code.closeBracket) {
      values.push(this.value());
      if (!this.takeSeparator()) break;
    }
    this.expect(Code.closeBracket, "',' or ']'");
    return values;
  }

  private number(): number | bigint {
    const start = this.at;
    if (this.code() === Code.minus) this.at++;
    if (this.text.startsWith('inf', this.at)) {
      this.at += 3;
      return -Infinity;
    }
    let integral = true;
    for (;;) {
      const code = this.code();
      if (isDigit(code)) this.at++;
      else if (code === Code.dot || code === 101 || code === 69) {
        integral = false;
        this.at++;
      } else if ((code === Code.minus || code === Code.plus) && !integral) this.at++;
      else break;
    }
    const digits = this.text.slice(start, this.at);
    const value = Number(digits);
    if (Number.isNaN(value)) this.fail(`a number instead of '${digits}'`);
    return integral && !Number.isSafeInteger(value) ? BigInt(digits) : value;
  }

  private string(quote: number): string {
    this.at++;
    let result = '';
    for (;;) {
      const code = this.code();
      if (Number.isNaN(code)) this.fail('a closing quote');
      if (code === quote) break;
      if (code === Code.backslash) this.at++;
      const character = this.text[this.at] ?? '';
      result += code === Code.backslash ? (ESCAPES[character] ?? character) : character;
      this.at++;
    }
    this.at++;
    return result;
  }

  private word(what: string): string {
    const start = this.at;
    while (isWord(this.code())) this.at++;
    if (this.at === start) this.fail(what);
    return this.text.slice(start, this.at);
  }

  private takeEllipsis(): boolean {
    if (!this.text.startsWith('...', this.at)) return false;
    this.at += 3;
    return true;
  }

  private takeSeparator(): boolean {
    if (this.code() !== Code.comma) return false;
    this.at++;
    while (this.code() === Code.space) this.at++;
    return true;
  }

  private expect(code: number, what: string): void {
    if (this.code() !== code) this.fail(what);
    this.at++;
  }

  /** NaN past the end, which equals nothing. */
  private code(): number {
    return this.text.charCodeAt(this.at);
  }

  private fail(what: string): never {
    throw new SchemaSyntaxError(`Operator schema, position ${this.at}: expected ${what} in '${this.text}'.`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', 0: '\0' };
