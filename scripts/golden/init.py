"""What torch.nn.init makes, bit for bit, as JSON for test/nn/init.test.ts.

    python scripts/golden/init.py > test/golden/init.json     # the committed cases, from PyTorch 2.13
    python scripts/golden/init.py                             # the same from any other, for the live comparison

A case is {"call": Praxis' name, "shape", "dtype", "seed", "positional": [...], "options": {...}, "generator": seed or null,
"bytes": base64 of the elements, "next": one number drawn afterwards}: the last shows that as many random numbers were used.
"""

import base64
import inspect
import json
import math

import torch
from torch.nn import init

NAMES = {
    "zeros_": "zeros_", "ones_": "ones_", "constant_": "constant_", "uniform_": "uniform_", "normal_": "normal_",
    "truncNormal_": "trunc_normal_", "xavierUniform_": "xavier_uniform_", "xavierNormal_": "xavier_normal_",
    "kaimingUniform_": "kaiming_uniform_", "kaimingNormal_": "kaiming_normal_", "orthogonal_": "orthogonal_",
    "eye_": "eye_", "dirac_": "dirac_", "sparse_": "sparse_",
}
VALUES = {
    "fanIn": "fan_in", "fanOut": "fan_out", "leakyRelu": "leaky_relu", "convTranspose2d": "conv_transpose2d",
}


def cases():
    for shape in [[3, 5], [7], [20, 17], [8, 4, 3, 3]]:
        yield "zeros_", shape, [], {}
        yield "ones_", shape, [], {}
        yield "constant_", shape, [0.3], {}
        yield "uniform_", shape, [], {}
        yield "uniform_", shape, [], {"a": -0.25, "b": 1.5}
        yield "normal_", shape, [], {}
        yield "normal_", shape, [], {"mean": 2.0, "std": 0.02}
        yield "truncNormal_", shape, [], {}
        yield "truncNormal_", shape, [], {"std": 0.02}
        yield "truncNormal_", shape, [], {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 1.25}
        yield "truncNormal_", shape, [], {"mean": 0.0, "std": 1.0, "a": 1.5, "b": 3.0}
    for shape in [[3, 5], [20, 17], [8, 4, 3, 3], [6, 2, 5], [3, 2, 2, 3, 3]]:
        for name in ["xavierUniform_", "xavierNormal_"]:
            yield name, shape, [], {}
            yield name, shape, [], {"gain": 5 / 3}
        for name in ["kaimingUniform_", "kaimingNormal_"]:
            yield name, shape, [], {}
            yield name, shape, [], {"a": math.sqrt(5)}
            yield name, shape, [], {"mode": "fanOut", "nonlinearity": "relu"}
            yield name, shape, [], {"mode": "fanIn", "nonlinearity": "tanh"}
            yield name, shape, [], {"mode": "fanOut", "nonlinearity": "leakyRelu", "a": 0.2}
        yield "orthogonal_", shape, [], {}
        yield "orthogonal_", shape, [], {"gain": 1.5}
    for shape in [[3, 5], [5, 3], [4, 4]]:
        yield "eye_", shape, [], {}
        yield "sparse_", shape, [0.3], {}
        yield "sparse_", shape, [0.9], {"std": 2.0}
    for shape, groups in [([3, 8, 5], 1), ([8, 3, 5, 4], 1), ([6, 8, 3, 3], 3), ([4, 2, 3, 1, 5], 2)]:
        yield "dirac_", shape, [], {"groups": groups} if groups > 1 else {}


def run(call, shape, positional, options, dtype, seed, generator):
    function = getattr(init, NAMES[call])
    arguments = {key: VALUES.get(value, value) for key, value in options.items()}
    if generator is not None:
        arguments["generator"] = torch.Generator().manual_seed(generator)
    tensor = torch.full(shape, 7.0, dtype=getattr(torch, dtype), requires_grad=True)
    torch.manual_seed(seed)
    function(tensor, *positional, **arguments)
    after = torch.rand(1).item()
    data = base64.b64encode(bytes(tensor.detach().contiguous().view(torch.uint8).flatten().tolist())).decode()
    return {
        "call": call, "shape": shape, "dtype": dtype, "seed": seed, "positional": positional, "options": options,
        "generator": generator, "bytes": data, "next": after,
    }


made = []
for index, (call, shape, positional, options) in enumerate(cases()):
    types = ["float32"] if index % 3 else ["float32", "float64"]
    if index % 7 == 0 and call != "orthogonal_":
        types.append("bfloat16")
    made += [run(call, shape, positional, options, dtype, 1000 + index, None) for dtype in types]
    if "generator" in inspect.signature(getattr(init, NAMES[call])).parameters and index % 2 == 0:
        made.append(run(call, shape, positional, options, "float32", 1000 + index, 77 + index))

gains = [["linear", None], ["conv2d", None], ["convTranspose2d", None], ["sigmoid", None], ["tanh", None], ["relu", None],
         ["leakyRelu", None], ["leakyRelu", 0.2], ["leakyRelu", 0.0], ["selu", None]]
gains = [[name, slope, init.calculate_gain(VALUES.get(name, name), slope)] for name, slope in gains]
print(json.dumps({"torch": torch.__version__, "gains": gains, "cases": made}))
