import { LIMITS } from './limits.js';
import { PickleCursor } from './pickle-cursor.js';
import { OP, OP_NAMES } from './pickle-opcodes.js';
import { describeKind, PickleDict, PickleList, PickleSet, PickleTuple, type PickleValue } from './pickle-values.js';

/** Decides what names, calls and persistent ids in a pickle stream mean. Nothing outside its answers is ever made. */
export interface PickleWorld {
  /** The value of a global; throws when the name is not on the allow-list. */
  global(module: string, name: string): PickleValue;
  /** The result of "calling" one. */
  reduce(callable: PickleValue, args: readonly PickleValue[]): PickleValue;
  /** Gives state to an object (BUILD). */
  build(target: PickleValue, state: PickleValue): void;
  /** The object behind a persistent id: a storage. */
  persistent(id: PickleValue): PickleValue;
}

const EMPTY = new PickleTuple([]);

/**
 * Runs one pickle stream in `bytes` from `start` until its STOP. Only data opcodes exist here: names go through `world`, and no
 * opcode can reach code. Every length is checked before it is used; steps and containers are counted against `LIMITS`.
 *
 * @returns the value and the position after STOP (legacy files hold several streams in a row).
 */
export function readPickle(
  bytes: Buffer,
  start: number,
  file: string,
  world: PickleWorld,
): { value: PickleValue; end: number } {
  const cursor = new PickleCursor(bytes, start, file);
  const value = new Machine(cursor, world).run();
  return { value, end: cursor.at };
}

class Machine {
  readonly #cursor: PickleCursor;
  readonly #world: PickleWorld;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  /** Dense for the ids that picklers give out in order; the rest goes to the map. */
  readonly #memo: PickleValue[] = [];
  readonly #scattered = new Map<number, PickleValue>();
  #steps = 0;
  #containers = 0;

  constructor(cursor: PickleCursor, world: PickleWorld) {
    this.#cursor = cursor;
    this.#world = world;
  }

  run(): PickleValue {
    for (;;) {
      if (++this.#steps > LIMITS.pickleSteps)
        throw this.#cursor.error(`has more than ${LIMITS.pickleSteps} pickle steps`);
      const op = this.#cursor.byte();
      if (op === OP.STOP) break;
      this.#step(op);
    }
    if (this.#stack.length !== 1 || this.#marks.length !== 0)
      throw this.#cursor.error('has a pickle stream that leaves values over');
    return this.#stack[0]!;
  }

  #step(op: number): void {
    const stack = this.#stack;
    const cursor = this.#cursor;
    switch (op) {
      case OP.PROTO: {
        const protocol = cursor.byte();
        if (protocol > 5) throw this.#cursor.error(`uses pickle protocol ${protocol}; 0 to 5 are known`);
        return;
      }
      case OP.FRAME:
        cursor.expect(cursor.length(8));
        return;
      case OP.MARK:
        this.#marks.push(stack.length);
        return;
      case OP.POP:
        // As in Python, popping an empty run takes the mark itself.
        if (this.#marks.at(-1) === stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case OP.POP_MARK:
        this.#popMark();
        return;
      case OP.DUP:
        stack.push(this.#top());
        return;

      case OP.NONE:
        stack.push(null);
        return;
      case OP.NEWTRUE:
        stack.push(true);
        return;
      case OP.NEWFALSE:
        stack.push(false);
        return;
      case OP.BININT:
        stack.push(cursor.bytes.readInt32LE(cursor.take(4)));
        return;
      case OP.BININT1:
        stack.push(cursor.byte());
        return;
      case OP.BININT2:
        stack.push(cursor.bytes.readUInt16LE(cursor.take(2)));
        return;
      case OP.LONG1:
        stack.push(cursor.integer(cursor.byte()));
        return;
      case OP.LONG4:
        stack.push(cursor.integer(cursor.bytes.readInt32LE(cursor.take(4))));
        return;
      case OP.BINFLOAT:
        stack.push(cursor.bytes.readDoubleBE(cursor.take(8)));
        return;
      case OP.INT:
        stack.push(cursor.textInteger());
        return;
      case OP.LONG:
        stack.push(cursor.textInteger());
        return;
      case OP.FLOAT:
        stack.push(cursor.textFloat());
        return;

      case OP.BINUNICODE:
        stack.push(cursor.text(cursor.length(4)));
        return;
      case OP.SHORT_BINUNICODE:
        stack.push(cursor.text(cursor.length(1)));
        return;
      case OP.BINUNICODE8:
        stack.push(cursor.text(cursor.length(8)));
        return;
      // Python 2's str: PyTorch's default reads it as UTF-8 text too.
      case OP.BINSTRING:
        stack.push(cursor.text(cursor.length(4)));
        return;
      case OP.SHORT_BINSTRING:
        stack.push(cursor.text(cursor.length(1)));
        return;
      case OP.BINBYTES:
        stack.push(cursor.blob(cursor.length(4)));
        return;
      case OP.SHORT_BINBYTES:
        stack.push(cursor.blob(cursor.length(1)));
        return;
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        stack.push(cursor.blob(cursor.length(8)));
        return;

      case OP.EMPTY_LIST:
        stack.push(this.#count(new PickleList()));
        return;
      case OP.EMPTY_DICT:
        stack.push(this.#count(new PickleDict()));
        return;
      case OP.EMPTY_SET:
        stack.push(this.#count(new PickleSet()));
        return;
      case OP.EMPTY_TUPLE:
        stack.push(EMPTY);
        return;
      case OP.LIST: {
        const list = this.#count(new PickleList());
        extend(list.items, this.#popMark());
        stack.push(list);
        return;
      }
      case OP.FROZENSET: {
        const set = this.#count(new PickleSet());
        extend(set.items, this.#popMark());
        stack.push(set);
        return;
      }
      case OP.DICT: {
        const dict = this.#count(new PickleDict());
        this.#setItems(dict, this.#popMark());
        stack.push(dict);
        return;
      }
      case OP.TUPLE:
        stack.push(this.#count(new PickleTuple(this.#popMark())));
        return;
      case OP.TUPLE1:
        this.#tuple(1);
        return;
      case OP.TUPLE2:
        this.#tuple(2);
        return;
      case OP.TUPLE3:
        this.#tuple(3);
        return;
      case OP.APPEND: {
        const item = this.#pop();
        this.#list().items.push(item);
        return;
      }
      case OP.APPENDS: {
        const items = this.#popMark();
        extend(this.#list().items, items);
        return;
      }
      case OP.ADDITEMS: {
        const items = this.#popMark();
        const set = this.#top();
        if (!(set instanceof PickleSet)) throw this.#cursor.error(`adds set items to ${describeKind(set)}`);
        extend(set.items, items);
        return;
      }
      case OP.SETITEM: {
        const value = this.#pop();
        const key = this.#pop();
        this.#setItems(this.#top(), [key, value]);
        return;
      }
      case OP.SETITEMS: {
        const items = this.#popMark();
        this.#setItems(this.#top(), items);
        return;
      }

      case OP.GET:
        this.#recall(cursor.textIndex());
        return;
      case OP.BINGET:
        this.#recall(cursor.byte());
        return;
      case OP.LONG_BINGET:
        this.#recall(cursor.bytes.readUInt32LE(cursor.take(4)));
        return;
      case OP.PUT:
        this.#memorise(cursor.textIndex());
        return;
      case OP.BINPUT:
        this.#memorise(cursor.byte());
        return;
      case OP.LONG_BINPUT:
        this.#memorise(cursor.bytes.readUInt32LE(cursor.take(4)));
        return;
      case OP.MEMOIZE:
        this.#memorise(this.#memo.length + this.#scattered.size);
        return;

      case OP.GLOBAL: {
        const module = cursor.line();
        stack.push(this.#world.global(module, cursor.line()));
        return;
      }
      case OP.STACK_GLOBAL: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof module !== 'string' || typeof name !== 'string')
          throw this.#cursor.error('names a global by something else than text');
        stack.push(this.#world.global(module, name));
        return;
      }
      case OP.INST: {
        // Always a user's own class, written by Python 2: refused by the allow-list under its name.
        const module = cursor.line();
        const name = cursor.line();
        const args = this.#popMark();
        stack.push(this.#count(this.#world.reduce(this.#world.global(module, name), args)));
        return;
      }
      case OP.REDUCE:
      case OP.NEWOBJ: {
        const args = this.#pop();
        const callable = this.#pop();
        if (!(args instanceof PickleTuple)) throw this.#cursor.error('calls something without a tuple of arguments');
        stack.push(this.#count(this.#world.reduce(callable, args.items)));
        return;
      }
      case OP.NEWOBJ_EX:
        throw this.#cursor.error('creates an object with keyword arguments, which no tensor file needs');
      case OP.BUILD: {
        const state = this.#pop();
        this.#world.build(this.#top(), state);
        return;
      }
      case OP.BINPERSID:
        stack.push(this.#count(this.#world.persistent(this.#pop())));
        return;
      default:
        throw this.#cursor.error(
          `uses the pickle instruction ${OP_NAMES.get(op) ?? `0x${op.toString(16)}`}, which no tensor file needs`,
        );
    }
  }

  #top(): PickleValue {
    const stack = this.#stack;
    if (stack.length === 0 || this.#marks.at(-1) === stack.length)
      throw this.#cursor.error('has a pickle stream that takes a value that is not there');
    return stack[stack.length - 1]!;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#cursor.error('has a pickle stream that closes a group it never opened');
    return this.#stack.splice(mark);
  }

  #tuple(size: 1 | 2 | 3): void {
    const from = this.#stack.length - size;
    if (from < (this.#marks.at(-1) ?? 0))
      throw this.#cursor.error('has a pickle stream that takes a value that is not there');
    this.#stack.push(this.#count(new PickleTuple(this.#stack.splice(from))));
  }

  #list(): PickleList {
    const list = this.#top();
    if (!(list instanceof PickleList)) throw this.#cursor.error(`appends to ${describeKind(list)}`);
    return list;
  }

  #setItems(dict: PickleValue, pairs: readonly PickleValue[]): void {
    if (!(dict instanceof PickleDict)) throw this.#cursor.error(`sets items of ${describeKind(dict)}`);
    if (pairs.length % 2 !== 0) throw this.#cursor.error('has a dict with a key that lacks its value');
    extend(dict.pairs, pairs);
  }

  #recall(index: number): void {
    const value = index < this.#memo.length ? this.#memo[index] : this.#scattered.get(index);
    if (value === undefined) throw this.#cursor.error(`recalls memo entry ${index}, which does not exist`);
    this.#stack.push(value);
  }

  #memorise(index: number): void {
    const value = this.#top();
    if (index < this.#memo.length) this.#memo[index] = value;
    else if (index === this.#memo.length && !this.#scattered.has(index)) this.#memo.push(value);
    else this.#scattered.set(index, value);
  }

  #count<T extends PickleValue>(value: T): T {
    if (++this.#containers > LIMITS.pickleContainers)
      throw this.#cursor.error(`has more than ${LIMITS.pickleContainers} containers`);
    return value;
  }
}

/** `target.push(...items)` without its limit on the number of arguments. */
function extend(target: PickleValue[], items: readonly PickleValue[]): void {
  for (const item of items) target.push(item);
}
