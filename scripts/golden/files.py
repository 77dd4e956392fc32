"""Makes the golden files of test/golden/files, and describes or makes files for live comparison.

    python scripts/golden/files.py golden FOLDER      write all files and expected.json (PyTorch 2.13 and safetensors)
    python scripts/golden/files.py make FOLDER NAME…  write cases with the Python at hand: state.pt, state-legacy.pt, …
    python scripts/golden/files.py describe FILE…     print what files hold as JSON, read with weights_only=True
    python scripts/golden/files.py count FILE         count the tensors of a list and their storages
    python scripts/golden/files.py facts              print versions

A description is JSON that TypeScript can make too (test/torch/files/describe.ts): whole numbers as such, others by their IEEE bits, tensors by
dtype, shape, strides, offset, bytes, and the order number of their storage.
"""

import collections
import io
import json
import os
import struct
import sys
import zipfile

import torch

MODERN = torch.__version__ >= "2"


def number(value):
    if isinstance(value, int) and abs(value) > 2**53 - 1:
        return {"int": str(value)}
    if value == value and abs(value) < 2**53 and value == int(value) and str(value) != "-0.0":
        return int(value)
    return {"number": struct.pack(">d", float(value)).hex()}


def describe(value, storages):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return {"str": value}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, complex):
        return {"complex": [number(value.real), number(value.imag)]}
    if isinstance(value, (torch.dtype, torch.device)):
        return {"str": str(value).replace("torch.", "")}
    if isinstance(value, torch.Tensor):
        return tensor(value, storages)
    if isinstance(value, dict):
        pairs = [[describe(k, storages), describe(v, storages)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((describe(v, storages) for v in value), key=json.dumps)}
    if isinstance(value, (list, tuple)):
        return {"list": [describe(v, storages) for v in value]}
    if type(value).__module__ == "numpy":
        return describe(value.item(), storages)
    raise TypeError(f"cannot describe {type(value)}")


def tensor(value, storages):
    facts = {"dtype": str(value.dtype).replace("torch.", ""), "shape": list(value.shape), "grad": value.requires_grad}
    value = value.detach()
    if value.layout != torch.strided:
        facts["layout"] = str(value.layout).replace("torch.", "")
        facts["dense"] = raw(value.to_dense()).hex()
        return {"tensor": facts}
    facts["strides"] = list(value.stride())
    facts["offset"] = value.storage_offset()
    key = (value.untyped_storage() if MODERN else value.storage()).data_ptr()
    if key != 0:
        facts["storage"] = storages.setdefault(key, len(storages))
    facts["bytes"] = raw(value).hex()
    return {"tensor": facts}


def raw(value):
    value = value.resolve_conj().resolve_neg().contiguous()
    memory = io.BytesIO()
    # The only way to the bytes of every dtype that needs no numpy: let PyTorch write them.
    torch.save(value.clone(), memory)
    with zipfile.ZipFile(memory) as archive:
        name = next(n for n in archive.namelist() if n.endswith("/data/0"))
        return archive.read(name)


def case_state():
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1))
    return model.state_dict()


def case_optimizer():
    torch.manual_seed(2)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.95))
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 2, "best": 0.75}


def case_shared():
    base = torch.arange(12.0)
    return {
        "base": base,
        "part": base[2:8],
        "turned": base.view(3, 4).t(),
        "every second": base[1::2],
        "expanded": base[:3].view(3, 1).expand(3, 2),
        "same": [base, base],
        "low half": torch.arange(4)[:2],
        "parameter": torch.nn.Parameter(base[:2]),
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(7.5),
        "channels last": torch.arange(16.0).view(1, 2, 2, 4).contiguous(memory_format=torch.channels_last),
    }


def case_values():
    shared = [1, 2]
    return {
        "none": None, "true": True, "false": False, "small": 7, "negative": -70000, "byte": 200, "short": 60000, "int": -(2**31),
        "exact": 2**53 - 1, "beyond": 2**63, "below": -(2**70), "huge": 10**200, "zero": 0, "minus one": -1,
        "text": "grün 🌱", "nothing": "", "long text": "x" * 300, "__proto__": "own", "constructor": "own",
        "list": [1, [2, [3]], []], "shared": [shared, shared], "nested": {"a": {"b": {"c": None}}},
        "ints": {0: "zero", -1: "minus", 2**40: "large"}, "many": list(range(1100)),
    }


def case_floats():
    return {
        "half": 0.5, "tenth": 0.1, "minus zero": -0.0, "inf": float("inf"), "minus inf": float("-inf"), "nan": float("nan"),
        "tiny": 5e-324, "large": 1e300, "whole": 2.0, "tuple": (1, (2.5, "x"), ()), "by tuple": {(1, 2): "a", "b": 3},
        "size": torch.Size([2, 3]), "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    }


def case_objects():
    return {
        "bytes": b"\x00\xff\x80a", "bytearray": bytearray(b"ab\xff"), "set": {1, 2, 300}, "complex": 1 - 2.5j,
        "dtype": torch.bfloat16, "device": torch.device("cuda", 1), "counter": collections.Counter("abca"),
        "conjugate": torch.tensor([1 + 2j, 3 - 4j]).conj(), "negative": torch.tensor([1 + 2j]).conj().imag,
        "coo": torch.tensor([[0.0, 2.0], [3.0, 0.0]]).to_sparse(), "csr": torch.tensor([[0.0, 2.0], [3.0, 0.0]]).to_sparse_csr(),
        "csc": torch.tensor([[0.0, 2.0], [3.0, 0.0]]).to_sparse_csc(),
    }


def case_dtypes():
    names = "uint8 int8 int16 int32 int64 float16 float32 float64 bfloat16 bool complex64 complex128".split()
    if MODERN:
        names += "uint16 uint32 uint64 complex32 float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz float8_e8m0fnu".split()
    return {name: torch.tensor([0, 1, 2, 0.5 if "float" in name else 3]).to(getattr(torch, name)) for name in names}


def case_dense():
    """Only what .safetensors can hold."""
    result = {k: v for k, v in case_dtypes().items() if k not in ("complex128", "complex32")}
    result["scalar"] = torch.tensor(3.25)
    result["empty"] = torch.empty(2, 0, 3)
    result["matrix"] = torch.arange(6.0).view(2, 3)
    return dict(sorted(result.items()))


def case_numpy():
    import numpy

    return {"best": numpy.float64(0.5), "count": numpy.int64(-3), "flag": numpy.bool_(True), "single": numpy.float32(0.1)}


CASES = {name[5:]: function for name, function in globals().items() if name.startswith("case_")}


def make(case, path):
    value = CASES[case]()
    if path.endswith(".safetensors"):
        from safetensors.torch import save_file

        save_file(value, path, metadata={"made by": "Python", "ü": "ö"})
    else:
        torch.save(value, path, _use_new_zipfile_serialization="legacy" not in os.path.basename(path))
    return value


def load(path):
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file

        # Headers are sorted by the width of elements, which says nothing.
        return dict(sorted(load_file(path).items()))
    return torch.load(path, weights_only=True)


def big_endian(source, target):
    """The same archive as a big-endian machine would write it; all storages of the source must be of 4-byte elements."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if "/data/" in name:
                data = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
            if name.endswith("/byteorder"):
                data = b"big"
            new.writestr(name, data)


def golden(folder):
    os.makedirs(folder, exist_ok=True)
    expected = {}
    names = [f"{case}{kind}.pt" for case in CASES if case != "dense" for kind in ("", "-legacy")] + ["dense.safetensors"]
    # The legacy writer has no form for dtypes without a typed storage.
    names.remove("dtypes-legacy.pt")
    for name in names:
        case = name.split(".")[0].replace("-legacy", "")
        expected[case] = describe(make(case, os.path.join(folder, name)), {})
    single = os.path.join(folder, "little.pt")
    values = {"a": torch.arange(5.0), "b": torch.tensor([1, -2], dtype=torch.int32)}
    torch.save(values, single)
    big_endian(single, os.path.join(folder, "big-endian.pt"))
    os.remove(single)
    expected["big-endian"] = describe(values, {})
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=False, sort_keys=True)
        file.write("\n")


def count(tensors):
    pointer = lambda t: (t.untyped_storage() if MODERN else t.storage()).data_ptr()
    return {"tensors": len(tensors), "storages": len({pointer(t) for t in tensors})}


def facts():
    try:
        import safetensors

        version = safetensors.__version__
    except ImportError:
        version = None
    return {"torch": torch.__version__, "safetensors": version}


if __name__ == "__main__":
    command, *args = sys.argv[1:]
    if command == "golden":
        golden(*args)
    elif command == "make":
        folder, *names = args
        made = {name: make(name.split(".")[0].replace("-legacy", ""), os.path.join(folder, name)) for name in names}
        print(json.dumps({name: describe(value, {}) for name, value in made.items()}))
    elif command == "describe":
        print(json.dumps({os.path.basename(path): describe(load(path), {}) for path in args}))
    elif command == "count":
        print(json.dumps(count(load(*args))))
    elif command == "facts":
        print(json.dumps(facts()))
    else:
        raise SystemExit(f"unknown command {command}")
