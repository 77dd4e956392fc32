"""Writes test/golden/statistics.json: p-values of SciPy for the tests that check a split. Run with a Python that has scipy."""
import json
import pathlib

import numpy as np
import scipy
from scipy import stats

random = np.random.default_rng(20261122)
tables = [
    [[10, 20, 30], [6, 9, 17]],
    [[8, 2], [1, 5]],
    [[535, 736, 549, 513, 689], [114, 158, 117, 110, 148], [115, 158, 118, 110, 147]],
    [[1000000, 1000100], [999000, 1003000]],
    random.integers(1, 60, (3, 102)).tolist(),
    random.integers(5, 9, (3, 700)).tolist(),
    [[500, 1], [1, 500]],
]
samples = []
for n, m, shift in [(5, 7, 0), (40, 40, 0.3), (300, 60, 0.1), (700, 150, 0), (33, 1000, 0.5), (2, 2, 3)]:
    samples.append([random.normal(0, 1, n).round(3).tolist(), random.normal(shift, 1, m).round(3).tolist()])
large = [[11000, 2400, 0.01], [20000, 5, 0.4], [12000, 130, 0.09], [15000, 9000, 0.0123], [40000, 10000, 0.03]]
answers = {
    "scipy": scipy.__version__,
    "tables": [
        {"table": table, "statistic": float(r.statistic), "dof": int(r.dof), "p": float(r.pvalue)}
        for table in tables
        for r in [stats.chi2_contingency(table)]
    ],
    "samples": [
        {"a": a, "b": b, "statistic": float(r.statistic), "p": float(r.pvalue)}
        for a, b in samples
        for r in [stats.ks_2samp(a, b)]
    ],
    # What ks_2samp asks for more than 10,000 values.
    "large": [
        {"n": int(np.round(n * m / (n + m))), "x": x, "p": float(stats.kstwo.sf(x, np.round(n * m / (n + m))))}
        for n, m, x in large
    ],
}
path = pathlib.Path(__file__).parents[2] / "test" / "golden" / "statistics.json"
path.write_text(json.dumps(answers) + "\n")
