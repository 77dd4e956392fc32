import { OP } from '../../../src/torch/files/pickle-opcodes.js';

/** Pieces of pickle streams for tests that need files nobody would write. */
export const bytes = (...parts: (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  );

export const global = (module: string, name: string): Buffer => bytes(OP.GLOBAL, `${module}\n${name}\n`);

export const text = (value: string): Buffer => {
  const encoded = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(encoded.length);
  return bytes(OP.BINUNICODE, length, encoded);
};

export const int = (value: number): Buffer => {
  const encoded = Buffer.alloc(4);
  encoded.writeInt32LE(value);
  return bytes(OP.BININT, encoded);
};

export const long = (value: bigint, length: number): Buffer => {
  const digits = BigInt.asUintN(8 * length, value)
    .toString(16)
    .padStart(2 * length, '0');
  return bytes(OP.LONG1, length, Buffer.from(digits, 'hex').reverse());
};

export const tuple = (...items: Uint8Array[]): Buffer => bytes(OP.MARK, ...items, OP.TUPLE);

export const call = (module: string, name: string, ...args: Uint8Array[]): Buffer =>
  bytes(global(module, name), tuple(...args), OP.REDUCE);

export const document = (...parts: (number | string | Uint8Array)[]): Buffer => bytes(OP.PROTO, 2, ...parts, OP.STOP);

/** The persistent id of a storage. */
export const storage = (kind: string, key: string, elements: Uint8Array): Buffer =>
  bytes(tuple(text('storage'), global('torch', kind), text(key), text('cpu'), elements), OP.BINPERSID);

/** `_rebuild_tensor_v2` over a storage. */
export const tensor = (over: Uint8Array, offset: Uint8Array, shape: Uint8Array[], strides: Uint8Array[]): Buffer =>
  call(
    'torch._utils',
    '_rebuild_tensor_v2',
    over,
    offset,
    tuple(...shape),
    tuple(...strides),
    bytes(OP.NEWFALSE),
    call('collections', 'OrderedDict'),
  );

/** The legacy format's streams around an object stream, and its raw storages. */
export function legacy(
  object: Uint8Array,
  storages: readonly { key: string; elements: bigint; data: Uint8Array }[],
): Buffer {
  const count = (value: bigint) => {
    const encoded = Buffer.alloc(8);
    encoded.writeBigInt64LE(value);
    return encoded;
  };
  return bytes(
    document(long(0x1950a86a20f9469cfc6cn, 10)),
    document(int(1001)),
    document(OP.EMPTY_DICT),
    object,
    document(OP.EMPTY_LIST, OP.MARK, ...storages.map(({ key }) => text(key)), OP.APPENDS),
    ...storages.map(({ elements, data }) => bytes(count(elements), data)),
  );
}

export interface ZipRecord {
  readonly name: string;
  readonly data: Uint8Array;
  /** Overrides for fields of the headers, to make broken archives. */
  readonly method?: number;
  readonly flags?: number;
  /** Announced size after unfolding. */
  readonly size?: number;
  /** Announced stored size. */
  readonly stored?: number;
  /** Announced position of the local header. */
  readonly at?: number;
}

/** A zip archive, wrong where asked for. */
export function zip(
  records: readonly ZipRecord[],
  overrides: { count?: number; start?: number; bytes?: number } = {},
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const record of records) {
    const name = Buffer.from(record.name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50);
    central.writeUInt16LE(record.flags ?? 0, 8);
    central.writeUInt16LE(record.method ?? 0, 10);
    central.writeUInt32LE(record.stored ?? record.data.length, 20);
    central.writeUInt32LE(record.size ?? record.data.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(record.at ?? at, 42);
    directory.push(central, name);
    parts.push(bytes(local, name, record.data));
    at += parts.at(-1)!.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(overrides.count ?? records.length, 10);
  end.writeUInt32LE(overrides.bytes ?? list.length, 12);
  end.writeUInt32LE(overrides.start ?? at, 16);
  return Buffer.concat([...parts, list, end]);
}

/** A PyTorch archive around an object stream. */
export const archive = (pickle: Uint8Array, ...storages: ZipRecord[]): Buffer =>
  zip([{ name: 'x/data.pkl', data: pickle }, ...storages, { name: 'x/version', data: Buffer.from('3\n') }]);

/** A `.safetensors` file with this header text. */
export function safetensors(header: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const encoded = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(encoded.length));
  return bytes(length, encoded, data);
}
