"""Writes test/golden/mat5.json: small MATLAB 5 files made by SciPy, with what SciPy reads from them."""

import base64
import io
import json
import pathlib

import numpy as np
import scipy.io

arrays = {
    "labels": np.arange(1, 41, dtype=np.uint8)[None, :] % 7 + 1,
    "trnid": np.array([[5, 1, 300]], dtype=np.uint16),
    "signed": np.array([[-3, 2], [70000, -70000]], dtype=np.int32),
    "real": np.array([[0.5, -1e300, np.inf]]),
    "single": np.array([[0.25]], dtype=np.float32),
    "long": np.array([[2**40, -1]], dtype=np.int64),
    "cube": np.arange(24, dtype=np.int16).reshape(2, 3, 4),
    "a": np.array([[9]], dtype=np.int8),
    "text": "not a number",
    "nested": {"x": np.array([1.0])},
}
cases = {}
for name, compress in (("plain", False), ("compressed", True)):
    out = io.BytesIO()
    scipy.io.savemat(out, arrays, do_compression=compress)
    loaded = scipy.io.loadmat(io.BytesIO(out.getvalue()))
    cases[name] = {
        "file": base64.b64encode(out.getvalue()).decode(),
        "arrays": {
            key: {"shape": list(value.shape), "values": [str(x) for x in value.flatten(order="F").tolist()]}
            for key, value in loaded.items()
            if isinstance(value, np.ndarray) and value.dtype.kind in "iuf"
        },
    }
target = pathlib.Path(__file__).parents[2] / "test/golden/mat5.json"
target.write_text(json.dumps(cases, indent=1) + "\n")
