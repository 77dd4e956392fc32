"""Random index expressions and what PyTorch makes of them, as JSON for test/torch/indexing*.test.ts.

    python scripts/golden/indexing.py 7 60 > test/golden/indexing.json     # the committed cases, from PyTorch 2.13
    python scripts/golden/indexing.py SEED COUNT                           # others, for the live comparison

The tensor of a case holds 0, 1, 2, … in its shape, float64. "index" is written as TypeScript writes it: integers, slice
strings, "...", null, booleans, {"array": nested}, {"slice": [start, stop, step]}, {"tensor": nested, "dtype": name}.
"get" is x[index] with the gradient of (x[index] * (1, 2, 3, …)).sum(); "set" is y[index] = value on a copy y of x, with the
gradients of (y * (1, 2, 3, …)).sum() for x and for the value. Where Python raises, the class of its error stands instead.
"""

import json
import random
import sys
import warnings

import torch

warnings.filterwarnings("ignore")

# Before 2.x a mask of several dimensions moved what followed it to the wrong dimension.
MASKS_COUNT_DIMENSIONS = int(torch.__version__.split(".")[0]) >= 2


def weights(tensor):
    return torch.arange(1, tensor.numel() + 1, dtype=torch.float64).reshape(tensor.shape)


def flat(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


def random_slice(rng, size):
    def bound():
        return None if rng.random() < 0.35 else rng.randint(-size - 2, size + 2)

    start, stop = bound(), bound()
    step = None if rng.random() < 0.6 else rng.randint(1, 3)
    part = lambda value: "" if value is None else str(value)
    text = f"{part(start)}:{part(stop)}" + ("" if step is None else f":{part(step)}")
    if rng.random() < 0.25:
        return slice(start, stop, step), {"slice": [start, stop, step]}
    return slice(start, stop, step), text


def random_positions(rng, size, shape):
    """Positions of a shape, rarely one that is out of range."""
    if size == 0:
        shape = shape[:-1] + [0]
    count = 1
    for extent in shape:
        count *= extent
    values = [rng.randint(-size, size - 1) for _ in range(count)]
    if values and rng.random() < 0.03:
        values[rng.randrange(len(values))] = size + rng.randint(0, 2)
    tensor = torch.tensor(values, dtype=torch.int64).reshape(shape)
    form = rng.random()
    if form < 0.5:
        return tensor, {"array": tensor.tolist()}
    dtype = "int32" if form > 0.85 and MASKS_COUNT_DIMENSIONS else "int64"
    return tensor.to(getattr(torch, dtype)), {"tensor": tensor.tolist(), "dtype": dtype, "shape": list(tensor.shape)}


def random_mask(rng, shape):
    if rng.random() < 0.03:
        shape = [shape[0] + 1] + shape[1:]
    tensor = torch.tensor([rng.random() < 0.5 for _ in range(max(1, torch.Size(shape).numel()))])
    tensor = tensor[: torch.Size(shape).numel()].reshape(shape)
    if rng.random() < 0.5 and 0 not in shape:
        return tensor, {"array": tensor.tolist()}
    return tensor, {"tensor": tensor.tolist(), "dtype": "bool", "shape": list(shape)}


def random_index(rng, shape):
    """An index for a shape, as Python's tuple and as the JSON of TypeScript's arguments."""
    python, typescript = [], []
    # One shape for the tensors of an expression, with parts of it, so that they broadcast most of the time.
    common = [rng.randint(1, 3) for _ in range(rng.randint(1, 2))]
    use_ellipsis, masked = rng.random() < 0.3, False
    dim = 0

    def put(a, b):
        python.append(a)
        typescript.append(b)

    while True:
        if rng.random() < 0.15:
            put(None, rng.choice([None, "newaxis"]))
        if rng.random() < 0.04:
            value = rng.random() < 0.7
            put(value, value)
        if dim >= len(shape) or rng.random() < (0.12 if python else 0.02):
            break
        if use_ellipsis and rng.random() < 0.4:
            use_ellipsis = False
            put(Ellipsis, "...")
            dim += rng.randint(0, len(shape) - dim)
            continue
        size = shape[dim]
        kind = rng.random()
        if kind < 0.3:
            value = rng.randint(-size - 1, size) if rng.random() < 0.04 or size == 0 else rng.randint(-size, size - 1)
            put(value, value)
        elif kind < 0.62:
            put(*random_slice(rng, size))
        elif kind < 0.85 or masked:
            which = common[-1:] if rng.random() < 0.4 else common
            if rng.random() < 0.06:
                which = []
            put(*random_positions(rng, size, which if which or size else [0]))
        else:
            span = rng.randint(1, min(2, len(shape) - dim)) if MASKS_COUNT_DIMENSIONS else 1
            put(*random_mask(rng, shape[dim : dim + span]))
            masked = True
            dim += span - 1
        dim += 1
    if rng.random() < 0.01:
        put(0, 0)
    return tuple(python), typescript


def get(shape, index):
    x = torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape).requires_grad_()
    try:
        part = x[index]
        (part * weights(part)).sum().backward()
    except (IndexError, ValueError, RuntimeError) as error:
        return {"error": type(error).__name__}
    return {**flat(part), "grad": flat(x.grad)["values"], "view": part._base is not None}


def put(rng, shape, index, part_shape):
    x = torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape).requires_grad_()
    if rng.random() < 0.3:
        value, given = 0.5, 0.5
    else:
        # A value that broadcasts: some dimensions 1, some of the leading ones left out or one too many.
        of = [1 if rng.random() < 0.25 else size for size in part_shape]
        of = of[rng.randint(0, len(of)) :] if rng.random() < 0.3 else of
        of = [1] + of if rng.random() < 0.2 else of
        if of and rng.random() < 0.04:
            of[-1] += 1
        value = (torch.arange(torch.Size(of).numel(), dtype=torch.float64) + 0.5).reshape(of).requires_grad_()
        given = {"shape": of}
    y = x.clone()
    try:
        y[index] = value
        (y * weights(y)).sum().backward()
    except (IndexError, ValueError, RuntimeError) as error:
        return {"value": given, "error": type(error).__name__}
    result = {"value": given, "after": flat(y)["values"], "grad": flat(x.grad)["values"]}
    if isinstance(value, torch.Tensor):
        result["valueGrad"] = flat(value.grad)["values"]
    return result


def make(rng):
    shape = [rng.choice([1, 2, 3, 4]) for _ in range(rng.randint(0 if rng.random() < 0.2 else 1, 4))]
    if shape and rng.random() < 0.05:
        shape[rng.randrange(len(shape))] = 0
    python, typescript = random_index(rng, shape)
    case = {"shape": shape, "index": typescript, "get": get(shape, python)}
    if "error" not in case["get"]:
        # Written twice to one place, which value stays is not promised: such an index is only read.
        positions = torch.arange(torch.Size(shape).numel()).reshape(shape)[python].reshape(-1)
        if positions.unique().numel() == positions.numel():
            case["set"] = put(rng, shape, python, case["get"]["shape"])
    return case


if __name__ == "__main__":
    generator = random.Random(int(sys.argv[1]))
    cases = [make(generator) for _ in range(int(sys.argv[2]))]
    lines = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in cases)
    print('{ "torch": "%s", "cases": [\n%s\n] }' % (torch.__version__, lines))
