"""Tensors and what Python's print makes of them, as JSON for test/torch/print.test.ts.

    python scripts/golden/print.py > test/golden/print.json          # the committed cases, from PyTorch 2.13
    python scripts/golden/print.py --fuzz SEED COUNT                 # random cases, for the live comparison

A case is {"text": what print writes, "tensor": description, "options"?: print options, "defaultDtype"?: name}.
A description holds its dtype, its shape and its elements in row-major order: numbers, "nan", "inf" and "-inf", strings
for integers beyond 2^53, two numbers per complex element. A list shorter than the tensor repeats until it is full.
"""

import json
import math
import random
import sys
import warnings

import torch

warnings.filterwarnings("ignore")

MODERN = int(torch.__version__.split(".")[0]) >= 2
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"] + (["uint16", "uint32", "uint64"] if MODERN else [])
FLOATS = ["float32", "float64", "float16", "bfloat16"]
FLOAT8 = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"] if MODERN else []
COMPLEX = ["complex64", "complex128", "complex32"]
NAN, INF = math.nan, math.inf


def plain(value):
    """A Python number as JSON can hold it without loss."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else str(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0 and math.copysign(1, value) < 0:
        return "-0"
    return value


def elements(tensor):
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.dtype == torch.complex32:
        tensor = tensor.to(torch.complex64)
    if str(tensor.dtype) == "torch.float4_e2m1fn_x2":
        tensor = tensor.view(torch.uint8)
    values = tensor.reshape(-1).tolist()
    if tensor.dtype.is_complex:
        values = [part for value in values for part in (value.real, value.imag)]
    return [plain(value) for value in values]


def describe(tensor, values=None):
    name = lambda thing: str(thing).replace("torch.", "")
    result = {"dtype": name(tensor.dtype), "shape": list(tensor.shape) if not tensor.is_nested else []}
    if tensor.device.type != "cpu":
        result["device"] = str(tensor.device)
    if tensor.layout != torch.strided:
        result["layout"] = name(tensor.layout)
    if tensor.grad_fn is not None:
        result["gradFnName"] = type(tensor.grad_fn).__name__
    if tensor.requires_grad:
        result["requiresGrad"] = True
    if tensor.is_nested:
        with torch.no_grad():
            result["nested"] = [describe(item) for item in tensor.unbind()]
        return result
    sparse = {
        "sparse_coo": ["_indices", "_values"],
        "sparse_csr": ["crow_indices", "col_indices", "values"],
        "sparse_csc": ["ccol_indices", "row_indices", "values"],
        "sparse_bsr": ["crow_indices", "col_indices", "values"],
        "sparse_bsc": ["ccol_indices", "row_indices", "values"],
    }.get(name(tensor.layout))
    if sparse:
        parts = [{"name": n.strip("_"), "tensor": describe(getattr(tensor, n)().detach())} for n in sparse]
        result["sparse"] = {"nnz": tensor._nnz() if tensor.device.type != "meta" else 0, "parts": parts}
        return result
    if tensor.is_quantized:
        scheme = name(tensor.qscheme())
        quantization = {"scheme": scheme}
        if scheme.startswith("per_tensor"):
            quantization.update(scale=tensor.q_scale(), zeroPoint=tensor.q_zero_point())
        else:
            quantization["scale"] = describe(tensor.q_per_channel_scales())
            quantization["zeroPoint"] = describe(tensor.q_per_channel_zero_points())
            quantization["axis"] = tensor.q_per_channel_axis()
        result["quantization"] = quantization
    if tensor.device.type != "meta":
        result["values"] = elements(tensor) if values is None else values
    return result


cases = []


def case(tensor, options=None, values=None, default_dtype=None):
    """Records a tensor; options are Python's names with camelCase keys for JSON."""
    if default_dtype:
        torch.set_default_dtype(getattr(torch, default_dtype))
    torch.set_printoptions(profile="default")
    if options:
        torch.set_printoptions(**{{"sciMode": "sci_mode"}.get(k, k): v for k, v in options.items()})
    entry = {"text": str(tensor), "tensor": describe(tensor, values)}
    if options:
        entry["options"] = {k: ("inf" if v == INF else v) for k, v in options.items()}
    if default_dtype:
        entry["defaultDtype"] = default_dtype
        torch.set_default_dtype(torch.float32)
    torch.set_printoptions(profile="default")
    cases.append(entry)


def make(values, dtype="float32", shape=None):
    tensor = torch.tensor(values, dtype=torch.float64 if dtype.startswith("float") or dtype == "bfloat16" else None)
    tensor = tensor.to(getattr(torch, dtype))
    return tensor if shape is None else tensor.reshape(shape)


def cycled(values, shape, dtype="float32", options=None, finish=lambda tensor: tensor):
    """A tensor filled with a repeating list, so that the JSON stays small."""
    base = make(values, dtype)
    count = math.prod(shape)
    wide = base.repeat(count // len(values) + 1) if base.element_size() > 1 else make(
        (values * (count // len(values) + 1)), dtype)
    case(finish(wide[:count].reshape(shape)), options, values=elements(base))


def fixed_cases():
    for dtype in FLOATS + FLOAT8:
        for values in (
            [1.0, 2.0, 3.0], [1.5, -2.25, 100.0], [0.0, -0.0], [NAN, INF, -INF], [1.0, NAN, -INF], [0.1, NAN, INF, -0.0],
            [1e-5, 1.0], [0.001, 2.0], [1000.0, 1.5], [1e-4, 2e-4], [30000.0, 4.0], [0.00006],
        ):
            case(make(values, dtype))
        for value in (0.0, -0.0, 1.0, -3.25, NAN, INF, 3.1e-5, 12345.678):
            case(make(value, dtype))
        case(make([], dtype))
        case(make([], dtype, (2, 0, 3)))
    for dtype in ("float32", "float64"):
        for values in (
            [1e8, 1.0], [1.1e8, 1e8], [1e8], [1e9], [123456789.0, 2.0], [99999999.0, 100001.0], [1000.0, 1.0], [1001.0, 1.0],
            [1e-4], [1.0001e-4, 0.05], [1e38, -1e38], [0.5, 500.0], [0.5, 500.5], [0.12345, 0.00005], [100005.0, 3.5],
            [1.00005, 2.5], [0.03125, 0.15625], [-1e-30, 1e30], [65504.0, 0.1], [1e10, NAN], [-1.0, -10.0, 100.0],
        ):
            case(make(values, dtype))
    case(make([5e-324, 1.7976931348623157e308, -1e-100], "float64"))
    case(make([1e22, 1e22], "float64"), {"sciMode": False})
    for dtype in INTEGERS:
        case(make([0, 1, 100], dtype))
        case(make(7, dtype))
        case(make([], dtype, (0,)))
        case(make([[1, 20], [3, 127]], dtype))
        info = torch.iinfo(getattr(torch, dtype))
        if dtype == "uint64":
            case(torch.tensor([2**64 - 1, 2**63, 2**53 + 1], dtype=torch.uint64))
        else:
            case(torch.tensor([info.min, info.max, info.max - 1], dtype=getattr(torch, dtype)))
    case(torch.tensor([2**53 + 1, -(2**53) - 1, 2**62 + 1]))
    case(torch.tensor(-(2**63)))
    for values in (True, False, [True], [True, False], [[True, True], [False, False]], []):
        case(torch.tensor(values, dtype=torch.bool))
    for dtype in COMPLEX:
        for values in (
            [1 + 2j], [1.5 - 2j, -0.25 + 100j], [complex(NAN, INF), complex(-INF, NAN), 1j], [complex(-0.0, -0.0), 1 + 0j],
            [complex(0.0, -0.0)], [1e-5 + 1e4j, 1 + 1j], [[1 + 1j, 2.5 - 3j], [0j, -1j]], [0j, 0j],
        ):
            case(torch.tensor(values, dtype=torch.complex128).to(getattr(torch, dtype)))
        case(torch.tensor(3 - 4.5j, dtype=torch.complex128).to(getattr(torch, dtype)))
        case(torch.zeros((0,), dtype=getattr(torch, dtype)))
        case(torch.zeros((2, 0), dtype=getattr(torch, dtype)))
    if MODERN:
        case(torch.tensor([[1, 2, 0], [255, 3, 4]], dtype=torch.uint8).view(torch.float4_e2m1fn_x2))


def shape_cases():
    wave = [0.25, -1.5, 3.0, 12.125, -0.75, 7.5, 100.0625]
    for shape in ([1], [7], [30], [200], [1, 1], [3, 4], [2, 30], [2, 3, 4], [2, 1, 3, 2], [1, 1, 1, 1, 2], [0], [0, 3], [3, 0, 2]):
        for dtype in ("float32", "int64", "bool", "complex64"):
            if shape == [200] and dtype != "float32":
                continue
            values = {"int64": [1, -20, 300], "bool": [1, 0, 0], "complex64": [1.5 - 2j, -30 + 0.25j]}.get(dtype, wave)
            cycled(values, shape, dtype)
    for shape in ([1000], [1001], [5000], [6, 200], [7, 200], [200, 6], [2000, 2], [1, 5000], [8, 9, 20], [3, 400, 2], [2, 1, 2, 2, 200], [1, 2, 1001]):
        for dtype in ("float32", "int64", "bool", "complex64", "float16") + (("float8_e4m3fn",) if MODERN else ()):
            if (shape == [1000] and dtype != "int64") or (len(shape) > 2 and dtype not in ("float32", "complex64")):
                continue
            values = {"int64": [1, -20, 300], "bool": [1, 0, 0], "complex64": [1.5 - 2j, -30 + 0.25j]}.get(dtype, wave)
            cycled(values, shape, dtype)
    # The middle is not looked at when the width and the notation are chosen.
    cycled([0.0, 1.0, 2.0] + [1e20] * 14 + [3.0, 4.0, 5.0], [20], options={"threshold": 10})
    cycled([0.5, NAN] + [1e20] * 14 + [INF, 4.0], [18], options={"threshold": 10, "edgeitems": 2})
    cycled([0.5, NAN] + [1e20] * 14 + [INF, 4.0], [18], options={"threshold": 10})


def suffix_cases():
    for values in ([1.5, 2.5], [[1.5, 2.5]] * 2, [0.125] * 11, [0.125] * 12, [0.125] * 13, [0.125] * 14, [0.125] * 15):
        x = torch.tensor(values, requires_grad=True)
        case(x)
        case(x * 2)
        case(x.double())
        case(x.half())
        case(x.detach())
        case((x * 2).unsqueeze(0))
        case((x * 2).sum())
        case(torch.tensor(values, device="meta"))
    y = torch.ones(3, requires_grad=True) * 2
    y[0] = 5
    case(y)
    case(torch.zeros(0, requires_grad=True))
    case(torch.zeros(0, 3, dtype=torch.float64, requires_grad=True))
    for dtype in ("float32", "int64", "bool", "float16"):
        case(torch.zeros((3, 4), dtype=getattr(torch, dtype), device="meta"))
    case(torch.zeros((), device="meta"))
    case(torch.zeros((0,), device="meta", dtype=torch.int64))
    for default in ("float64", "float16", "bfloat16"):
        for dtype in ("float32", "float64", "float16", "bfloat16", "complex64", "complex128", "int64", "bool"):
            if default == "bfloat16" and dtype.startswith("complex"):
                continue
            case(make([1, 2], dtype), default_dtype=default)
            case(torch.zeros(0, dtype=getattr(torch, dtype)), default_dtype=default)


def option_cases():
    wave = [0.25, -1.5, 3.0, 12.125, -0.75, 7.5, 100.0625, 0.123456789]
    for options in (
        {"precision": 0}, {"precision": 2}, {"precision": 10}, {"precision": 25}, {"linewidth": 40}, {"linewidth": 200},
        {"linewidth": 1}, {"threshold": 5}, {"threshold": 0}, {"threshold": INF}, {"edgeitems": 1}, {"threshold": 5, "edgeitems": 2},
        {"threshold": 5, "edgeitems": 10}, {"profile": "short"}, {"profile": "full"}, {"profile": "short", "precision": 6},
    ) + (({"sciMode": True}, {"sciMode": False}, {"sciMode": True, "precision": 0}, {"sciMode": True, "precision": 12},
          {"edgeitems": 0}, {"edgeitems": 0, "threshold": 0}) if MODERN else ()):
        cycled(wave, [9], options=options)
        cycled(wave, [3, 7], "float64", options=options)
        cycled(wave, [2, 2, 8], "float16", options=options)
        cycled([1 + 2j, -0.5 + 1e-3j], [8], "complex64", options=options)
        cycled([12, -3], [5, 5], "int64", options=options)
        case(make(12.5), options)
        case(make([0.0, -0.0, NAN]), options)
        case(make([1.0, 2e10, NAN]), options)
        case(make([], "float32"), options)
    for options in ({"precision": 2}, {"precision": 0}, {"precision": 1}, {"precision": 3}):
        # Exact ties, which C rounds to even.
        case(make([0.125, 0.375, 2.5, 3.5, 0.5, 0.25, 0.0625, 1.0625, -0.125, -2.5], "float64"), options)
        case(make([1250.0, 3.5, 10050000.0, 1.5e-3], "float64"), options)


def layout_cases():
    case(torch.eye(3).to_sparse())
    case((torch.eye(3) * 0.5).to_sparse().double())
    case(torch.eye(3, requires_grad=True).to_sparse())
    case(torch.eye(3).to_sparse().requires_grad_())
    case(torch.eye(3, dtype=torch.int32).to_sparse())
    case(torch.eye(3, dtype=torch.bool).to_sparse())
    case(torch.arange(12.0).reshape(2, 3, 2).to_sparse(2))
    case(torch.eye(24).to_sparse())
    case(torch.sparse_coo_tensor(size=(2, 3)))
    case(torch.sparse_coo_tensor(size=(2, 3), dtype=torch.int64))
    case(torch.sparse_coo_tensor(torch.zeros(1, 20, dtype=torch.int64), torch.ones(20), (3,)), {"threshold": 10})
    case(torch.sparse_coo_tensor(torch.tensor([[0, 1]]), torch.tensor([1 + 2j, 0.5j]), (3,)))
    grid = torch.arange(16.0).reshape(4, 4) * torch.eye(4)
    for convert in ("to_sparse_csr", "to_sparse_csc"):
        case(getattr(grid, convert)())
        case(getattr(grid.double(), convert)())
        case(getattr(torch.zeros(2, 3), convert)())
    case(grid.to_sparse_bsr((2, 2)))
    case(grid.to_sparse_bsc((2, 2)))
    case(torch.tensor([[1.5, 2.0]]).to_mkldnn())
    for values in ([[0.5, -1.0, 2.0]], 0.3, []):
        for dtype in (torch.quint8, torch.qint8, torch.qint32):
            case(torch.quantize_per_tensor(torch.tensor(values), 0.1, 3, dtype))
            case(torch.quantize_per_tensor(torch.tensor(values), 1e-5, 0, dtype))
    rows = torch.tensor([[0.5, -1.0, 2.0], [3.0, 0.25, 1.0]])
    case(torch.quantize_per_channel(rows, torch.tensor([0.1, 1 / 3]), torch.tensor([3, 1]), 0, torch.quint8))
    case(torch.quantize_per_channel(rows, torch.tensor([0.1, 1 / 3, 2.0]), torch.tensor([3, 1, 0]), 1, torch.qint8))
    nest = lambda items, **kw: torch.nested.nested_tensor(items, **kw)
    case(nest([torch.ones(2, 3), torch.zeros(1, 3)]))
    case(nest([torch.ones(2, 2, 3), torch.zeros(1, 2, 3)], dtype=torch.float64))


def random_value(generator, kind):
    if kind == 0:
        return generator.gauss(0, 1)
    if kind == 1:
        return generator.gauss(0, 1) * 10.0 ** generator.randint(-8, 9)
    if kind == 2:
        return float(generator.randint(-(10 ** generator.randint(1, 10)), 10 ** generator.randint(1, 10)))
    if kind == 3:
        return generator.randint(-4000, 4000) / 2 ** generator.randint(0, 7)
    if kind == 4:
        return generator.choice([0.0, -0.0, NAN, INF, -INF, 1.0, 1e-4, 1e8, 1000.0, 0.1])
    return 10.0 ** generator.uniform(-45, 38) * generator.choice([1, -1])


def fuzz_case(generator):
    dims = generator.choice([0, 1, 1, 1, 2, 2, 3, 4])
    shape = [generator.choice([0, 1, 2, 3, 5, 7, 8, 13, 40] if dims < 3 else [1, 1, 2, 3, 4, 7]) for _ in range(dims)]
    if generator.random() < 0.85:
        shape = [max(1, size) for size in shape]
    options = {}
    if generator.random() < 0.5:
        options = {"precision": generator.randint(0, 8), "linewidth": generator.choice([20, 60, 80, 80, 120]),
                   "threshold": generator.choice([0, 4, 10, 50, 1000]), "edgeitems": generator.randint(1, 4)}
        if MODERN:
            options["sciMode"] = generator.choice([None, None, None, True, False])
    dtype = generator.choice(FLOATS * 4 + FLOAT8 + INTEGERS + ["bool"] + COMPLEX * 2)
    count = math.prod(shape)
    kinds = [generator.randint(0, 5), generator.randint(0, 5)]
    draw = lambda: random_value(generator, generator.choice(kinds))
    if dtype in INTEGERS:
        info = torch.iinfo(getattr(torch, dtype))
        low, high = (info.min, info.max) if generator.random() < 0.3 else (max(info.min, -1000), min(info.max, 1000))
        tensor = torch.tensor([generator.randint(low, high) for _ in range(count)], dtype=getattr(torch, dtype))
    elif dtype == "bool":
        tensor = torch.tensor([generator.random() < 0.5 for _ in range(count)], dtype=torch.bool)
    elif dtype in COMPLEX:
        tensor = torch.tensor([complex(draw(), draw()) for _ in range(count)], dtype=torch.complex128)
        tensor = tensor.to(getattr(torch, dtype))
    else:
        tensor = make([draw() for _ in range(count)], dtype)
    tensor = tensor.reshape(shape)
    if dtype in FLOATS + COMPLEX and generator.random() < 0.2:
        tensor.requires_grad_()
        if generator.random() < 0.5:
            tensor = tensor.clone()
    elif dtype in ("float32", "float64", "int64") and shape and generator.random() < 0.1:
        tensor = tensor.to_sparse()
    case(tensor, options)


if len(sys.argv) > 1 and sys.argv[1] == "--fuzz":
    source = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[3])):
        fuzz_case(source)
else:
    fixed_cases()
    shape_cases()
    suffix_cases()
    option_cases()
    layout_cases()

header = json.dumps(torch.__version__)
print('{"torch": ' + header + ', "cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}")
