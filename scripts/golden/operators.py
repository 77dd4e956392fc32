"""Answers operator calls: reads a file of calls with their inputs, makes each call with Python's torch, writes what came out.

    python operators.py REQUEST ANSWER

Both files: 8 bytes little-endian length, JSON of that length, then the bytes of the tensors. Values in the JSON:
numbers, strings, booleans and null as they are; {"float": 2}, {"re", "im"}, {"dtype"}, {"memoryFormat"}, {"generator": seed},
{"t": index, "layout"} for a tensor.
"""

import ctypes
import json
import re
import struct
import sys
import warnings

import torch

warnings.simplefilter("ignore")
torch.set_num_threads(1)

TENSOR = getattr(torch._C, "TensorBase", None) or torch._C._TensorBase
FORMATS = {
    "contiguous": torch.contiguous_format,
    "preserve": torch.preserve_format,
    "channelsLast": torch.channels_last,
    "channelsLast3d": torch.channels_last_3d,
}


def find(operator, how):
    """PyTorch's own function or method of a name, below the Python wrappers that change arguments; else the bare operator."""
    function_first = [
        torch._C._VariableFunctions, torch._C._nn, torch._C._linalg, torch._C._fft, torch._C._special, TENSOR,
    ]
    places = [TENSOR] + function_first if operator.endswith("_") and not operator.startswith("_") else function_first
    if how != "ops":
        for place in places:
            found = getattr(place, operator, None)
            if found is not None:
                return found
    return getattr(torch.ops.aten, operator)


def snake(name):
    return re.sub(r"([a-z0-9])([A-Z])", lambda m: m.group(1) + "_" + m.group(2).lower(), name)


def read_file(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length)), bytearray(file.read())


def node_name(node):
    """As print() names it."""
    name = type(node).__name__
    return node.name().rsplit("::", 1)[-1] if name == "CppFunction" else name


class Answer:
    """Collects results and the bytes of their tensors."""

    def __init__(self):
        self.blob = bytearray()
        self.results = []

    def tensor(self, value, stride=True):
        dense = value.detach()
        if dense.layout is not torch.strided:
            return {"sparse": True}
        strides = list(dense.stride())
        dense = dense.resolve_conj().resolve_neg().contiguous()
        if dense._is_zerotensor():
            dense = dense.clone()
        size = dense.numel() * dense.element_size()
        node = value.grad_fn
        described = {
            "dtype": str(dense.dtype)[6:],
            "shape": list(dense.shape),
            "strides": strides,
            "offset": len(self.blob),
            "length": size,
            "gradFn": None if node is None else node_name(node),
        }
        if size:
            self.blob += ctypes.string_at(dense.data_ptr(), size)
        return described

    def value(self, value):
        if isinstance(value, torch.Tensor):
            return {"tensor": self.tensor(value)}
        if isinstance(value, (list, tuple)):
            return [self.value(x) for x in value]
        if isinstance(value, float):
            return {"float": repr(value)}
        if isinstance(value, complex):
            return {"re": value.real, "im": value.imag}
        if isinstance(value, torch.dtype):
            return {"dtype": str(value)[6:]}
        return value

    def write(self, path):
        header = json.dumps({"torch": torch.__version__, "results": self.results}).encode()
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header + self.blob)


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for x in value:
            yield from tensors_in(x)


def cotangent(output, k):
    """A gradient for an output that both sides can make without rounding: multiples of an eighth."""
    numbers = torch.arange(output.numel(), dtype=torch.float64).mul(7).add(3 * k).remainder(11).sub(5).div(8)
    numbers = numbers.reshape(output.shape).to(output.dtype)
    return numbers * complex(1, 0.5) if output.dtype.is_complex else numbers


class Inputs:
    """The tensors of one call, each with the leaf that its gradient belongs to."""

    def __init__(self, call, blob):
        self.specs = call["tensors"]
        self.blob = blob
        self.clone_first = call["operator"].endswith("_")
        self.gradient = call["gradient"]
        self.leaves = {}

    def leaf(self, index):
        if index not in self.leaves:
            spec = self.specs[index]
            dtype = getattr(torch, spec["dtype"])
            if spec["length"] == 0:
                made = torch.empty(spec["shape"], dtype=dtype)
            else:
                raw = torch.frombuffer(self.blob, dtype=torch.uint8, count=spec["length"], offset=spec["offset"])
                # The clone is aligned as every tensor is; the file's bytes are not.
                made = raw.clone().view(dtype).reshape(spec["shape"])
            if self.gradient and spec["gradient"]:
                made.requires_grad_(True)
            self.leaves[index] = made
        return self.leaves[index]

    def argument(self, value):
        if isinstance(value, list):
            return [self.argument(x) for x in value]
        if not isinstance(value, dict):
            return value
        if "t" in value:
            made = self.leaf(value["t"])
            if value["layout"] == "transposed":
                made = made.transpose(-2, -1)
            if value["layout"] == "stepped":
                made = made[..., ::2]
            return made.clone() if self.clone_first and (made.requires_grad or made is not self.leaf(value["t"])) else made
        if "float" in value:
            return float(value["float"])
        if "re" in value:
            return complex(value["re"], value["im"])
        if "dtype" in value:
            return getattr(torch, value["dtype"])
        if "memoryFormat" in value:
            return FORMATS[value["memoryFormat"]]
        if "generator" in value:
            return torch.Generator().manual_seed(value["generator"])
        raise ValueError(value)


def answer_call(call, blob, answer):
    inputs = Inputs(call, blob)
    try:
        args = [inputs.argument(x) for x in call["args"]]
        options = {snake(name): inputs.argument(x) for name, x in call["options"].items()}
        if call["seed"] is not None:
            torch.manual_seed(int(call["seed"]))
        result = find(call["operator"], call["python"])(*args, **options)
        if call["operator"].startswith("_") and call["operator"].endswith("_"):
            result = args  # nothing comes out, the lists that went in are changed
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        return {"error": str(error).splitlines()[0][:300] if str(error) else type(error).__name__}
    done = {"value": answer.value(result)}
    if call["seed"] is not None:
        done["state"] = answer.tensor(torch.get_rng_state())
    leaves = [inputs.leaf(i) for i, spec in enumerate(inputs.specs) if call["gradient"] and spec["gradient"]]
    outputs = [x for x in tensors_in(result) if x.requires_grad]
    if leaves and outputs:
        try:
            cotangents = [cotangent(x, k) for k, x in enumerate(outputs)]
            gradients = torch.autograd.grad(outputs, leaves, cotangents, allow_unused=True)
            done["gradients"] = [None if g is None else answer.tensor(g) for g in gradients]
        except (RuntimeError, ValueError, IndexError) as error:
            done["gradientError"] = str(error).splitlines()[0][:300]
    return done


def main():
    request, blob = read_file(sys.argv[1])
    answer = Answer()
    for call in request["calls"]:
        answer.results.append(answer_call(call, blob, answer))
    answer.write(sys.argv[2])


main()
