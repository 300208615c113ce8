"""Golden Frechet distances over a grid of set sizes and dimensions, for harness/metrics/fid/frechet_grid_test.ts.

    python ci/parity/inception_grid.py > fixtures/fid/grid.json

The idea of torch-fidelity's tests/torch_pure/misc/test_fid_stats_fn.py: from 2 to 32768 vectors of 2 to 256
features. Features come from an integer hash that the test computes too: ((u(2i) + u(2i + 1) - 1) / (1 + j)),
j the feature, plus 0.1 for the second set. `nuclear` takes the trace as the nuclear norm of L1^T L2, the L
from QR factors of the centred features, in float64: no covariance is formed. `scipy` is sqrtm of C1 C2.
"""

import json
import warnings

import numpy as np
import scipy
import scipy.linalg

from inception_hash import uniform


def features(name, n, d, shift):
    u = uniform(name, 2 * n * d)
    return ((u[0::2] + u[1::2] - 1).reshape(n, d) / (1 + np.arange(d)) + shift).astype(np.float32).astype(np.float64)


def centred(x):
    return (x - x.mean(0)) / np.sqrt(len(x) - 1)


def factor(x):
    return np.linalg.qr(centred(x), mode="r") if len(x) > x.shape[1] else centred(x)


def distances(x, y):
    rest = ((x.mean(0) - y.mean(0)) ** 2).sum() + (centred(x) ** 2).sum() + (centred(y) ** 2).sum()
    nuclear = np.linalg.svd(factor(x) @ factor(y).T, compute_uv=False).sum()
    product = np.atleast_2d(np.cov(x, rowvar=False)) @ np.atleast_2d(np.cov(y, rowvar=False))
    root = scipy.linalg.sqrtm(product)
    by_scipy = rest - 2 * np.trace(root).real if np.isfinite(root).all() else None
    return rest - 2 * nuclear, by_scipy


warnings.simplefilter("ignore")
cases = []
for n in (2, 8, 64, 512, 4096, 32768):
    for d in (2, 16, 64, 256):
        x, y = features(f"x{n}", n, d, 0), features(f"y{n}", n, d, 0.1)
        nuclear, by_scipy = distances(x, y)
        cases.append({"count": n, "dim": d, "nuclear": nuclear, "scipy": by_scipy})
print(json.dumps({"versions": {"numpy": np.__version__, "scipy": scipy.__version__}, "cases": cases}))
