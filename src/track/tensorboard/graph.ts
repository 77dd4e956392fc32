/** A network's modules as a graph. */
import type { AnyModule } from '../../nn/module.js';
import type { GraphNode } from './events.js';

interface Shaped {
  readonly shape: readonly number[];
}

const isTensor = (value: unknown): value is Shaped =>
  typeof value === 'object' && value !== null && Array.isArray((value as { shape?: unknown }).shape);

/** The tensors in a value, at any depth of arrays. */
function tensorsIn(value: unknown): Shaped[] {
  if (isTensor(value)) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

/** Runs a model once and notes which of its innermost modules ran on whose output. */
export function traceGraph(model: AnyModule, inputs: readonly unknown[]): GraphNode[] {
  const root = model.constructor.name;
  const nodes: GraphNode[] = [];
  const makers = new Map<unknown, string>();
  const runs = new Map<string, number>();
  inputs.flatMap(tensorsIn).forEach((tensor, i) => {
    const name = `input/${i}`;
    nodes.push({ name, operation: 'input', inputs: [], outputShape: tensor.shape });
    makers.set(tensor, name);
  });
  let latest = nodes.at(-1)?.name;
  const hooks = [...model.namedModules()].map(([path, module]) =>
    module.registerForwardHook((_module, given: readonly unknown[], output: unknown) => {
      const outputs = tensorsIn(output);
      if (module.namedChildren().length > 0) {
        // A container makes nothing itself; what it hands out may be new to us (a sum): it comes from what ran last.
        for (const tensor of outputs) if (!makers.has(tensor) && latest !== undefined) makers.set(tensor, latest);
        return;
      }
      const place = path === '' ? root : `${root}/${path.replaceAll('.', '/')}`;
      const count = (runs.get(place) ?? 0) + 1;
      runs.set(place, count);
      const name = count === 1 ? place : `${place}_${count}`;
      const known = given.flatMap(tensorsIn).map((tensor) => makers.get(tensor) ?? latest);
      const parameters = [...module.namedParameters()].reduce((sum, [, parameter]) => sum + parameter.numel(), 0);
      nodes.push({
        name,
        operation: module.constructor.name,
        inputs: [...new Set(known.filter((maker) => maker !== undefined))],
        attributes: {
          ...(module.extraRepr() === '' ? {} : { settings: module.extraRepr() }),
          ...(parameters === 0 ? {} : { parameters: String(parameters) }),
        },
        ...(outputs[0] === undefined ? {} : { outputShape: outputs[0].shape }),
      });
      for (const tensor of outputs) makers.set(tensor, name);
      latest = name;
    }),
  );
  try {
    const output = model.call(...inputs);
    const [first] = tensorsIn(output);
    const maker = makers.get(first) ?? latest;
    if (maker !== undefined)
      nodes.push({ name: 'output', operation: 'output', inputs: [maker], outputShape: first?.shape ?? [] });
  } finally {
    for (const hook of hooks) hook.remove();
  }
  return nodes;
}
