/** `torch.ops.aten.<name>.<overload>(…)`: every operator of the loaded engine under its own name. */
import { Family } from './binding.js';
import { callAny, family } from './dispatch.js';
import { MissingOperatorError, nearest } from './errors.js';
import type { AtenOps } from './generated/aten-ops.generated.js';
import { native } from './load.js';
import { missingOperatorMessage, versionsWith } from './versions.js';

type Callable = (...args: unknown[]) => unknown;

function makePacket(namespace: string, name: string): Callable {
  const full = `${namespace}::${name}`;
  const overloads = new Map<string, Callable>();
  const packet: Callable = (...args) => callAny(family(full, name), args);
  return new Proxy(packet, {
    get(target, key): unknown {
      if (typeof key !== 'string' || key in Function.prototype) return Reflect.get(target, key);
      let overload = overloads.get(key);
      if (overload === undefined) {
        const only = new Family(full, `${name}.${key}`, false, key === 'default' ? '' : key);
        overload = (...args) => callAny(only, args);
        overloads.set(key, overload);
      }
      return overload;
    },
  });
}

function missing(namespace: string, name: string): MissingOperatorError {
  const full = namespace === 'aten' ? name : `${namespace}::${name}`;
  const message = missingOperatorMessage(full, undefined, native.info().torch);
  // An operator that other versions have is no misspelling.
  const near = versionsWith(name).length > 0 ? undefined : nearest(name, namesOf(namespace));
  return new MissingOperatorError(near === undefined ? message : `${message} Did you mean ${near}?`);
}

const namesOf = (namespace: string): Set<string> =>
  new Set(
    native
      .operatorNames()
      .filter((x) => x.startsWith(`${namespace}::`))
      .map((x) => x.slice(namespace.length + 2).split('.', 1)[0] as string),
  );

/** Operators of one namespace, found when they are asked for. */
function makeNamespace(namespace: string): Record<string, Callable> {
  const packets = new Map<string, Callable>();
  return new Proxy({} as Record<string, Callable>, {
    get(_, key): Callable | undefined {
      if (typeof key !== 'string' || key === 'then') return undefined;
      let packet = packets.get(key);
      if (packet === undefined) {
        if (native.schemas(`${namespace}::${key}`).length === 0) throw missing(namespace, key);
        packet = makePacket(namespace, key);
        packets.set(key, packet);
      }
      return packet;
    },
    has: (_, key) => typeof key === 'string' && native.schemas(`${namespace}::${key}`).length > 0,
    ownKeys: () => [...namesOf(namespace)],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}

/** Every operator, by namespace; `aten` holds PyTorch's own. */
export const ops: { readonly aten: AtenOps } & Readonly<Record<string, unknown>> = new Proxy(
  {} as { readonly aten: AtenOps },
  {
    get(target, key): unknown {
      if (typeof key !== 'string') return undefined;
      if (!Object.hasOwn(target, key))
        Object.defineProperty(target, key, { value: makeNamespace(key), enumerable: true });
      return Reflect.get(target, key);
    },
  },
) as { readonly aten: AtenOps } & Readonly<Record<string, unknown>>;

/** Whether the loaded engine has an operator, e.g. `scaled_dot_product_attention`. */
export function hasOperator(name: string): boolean {
  return native.schemas(name.includes('::') ? name : `aten::${name}`).length > 0;
}
