/**
 * A small strict JSON reader for `.safetensors` headers. `JSON.parse` cannot do the job: it lets a repeated key silently
 * replace the first one, which the format forbids, and has no bound on depth.
 */
export type Json = string | number | boolean | null | Json[] | Map<string, Json>;

/** Deepest nesting a header needs: header → tensor → shape. One more leaves room for additions to the format. */
const MAX_DEPTH = 4;

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('text after the end');
    return value;
  }

  #value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.#error('nested too deep');
    this.#space();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    return this.#literal();
  }

  #object(depth: number): Map<string, Json> {
    const entries = new Map<string, Json>();
    this.#at++;
    if (this.#closes('}')) return entries;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#error('a key is missing');
      const key = this.#string();
      if (entries.has(key)) throw this.#error(`the key ${JSON.stringify(key.slice(0, 100))} occurs twice`);
      this.#space();
      if (this.#text[this.#at++] !== ':') throw this.#error('":" is missing');
      entries.set(key, this.#value(depth + 1));
      if (this.#closes('}')) return entries;
      if (this.#text[this.#at++] !== ',') throw this.#error('"," or "}" is missing');
    }
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    if (this.#closes(']')) return items;
    for (;;) {
      items.push(this.#value(depth + 1));
      if (this.#closes(']')) return items;
      if (this.#text[this.#at++] !== ',') throw this.#error('"," or "]" is missing');
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code) || code < 0x20) throw this.#error('a string does not end');
      if (code === 0x22) break;
      this.#at += code === 0x5c ? 2 : 1;
    }
    this.#at++;
    const raw = this.#text.slice(start, this.#at);
    if (!raw.includes('\\')) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw this.#error('a string has a wrong escape');
    }
  }

  #literal(): Json {
    const token = /[\w.+-]{0,40}/y;
    token.lastIndex = this.#at;
    const word = token.exec(this.#text)?.[0] ?? '';
    if (word === 'null') return this.#skip(word, null);
    if (word === 'true') return this.#skip(word, true);
    if (word === 'false') return this.#skip(word, false);
    if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return this.#skip(word, Number(word));
    throw this.#error('a value is missing or malformed');
  }

  #skip<T>(word: string, value: T): T {
    this.#at += word.length;
    return value;
  }

  #closes(bracket: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #error(problem: string): SyntaxError {
    return new SyntaxError(`${problem}, at character ${this.#at}`);
  }
}

/** Parses `text`; objects become Maps in file order. Throws SyntaxError, also for repeated keys and deep nesting. */
export function parseJsonHeader(text: string): Json {
  return new Reader(text).document();
}
