"""Golden values of the Frechet distance, for harness/metrics/fid/frechet_test.ts.

    python ci/parity/inception_gaussians.py > fixtures/fid/gaussians.json

Each case is two sets of float32 features. `exact` is the squared Frechet distance of their means and
covariances (divisor n - 1) in 60 decimal digits by mpmath, from the eigenvalues of the Gram matrix
A1 A2^T (A2 A1^T), A = centred features / sqrt(n - 1). `scipy` is the formula of pytorch-fid and TTUR in
float64 with scipy.linalg.sqrtm, as they do it: the real part, and 1e-6 on both diagonals if the root is
not finite.
"""

import json

import mpmath
import numpy as np
import scipy
import scipy.linalg

mpmath.mp.dps = 60


def exact(x, y):
    def centred(f):
        m = mpmath.matrix(f.tolist())
        n, d = f.shape
        mean = [sum(m[i, j] for i in range(n)) / n for j in range(d)]
        for i in range(n):
            for j in range(d):
                m[i, j] = (m[i, j] - mean[j]) / mpmath.sqrt(n - 1)
        return mean, m

    (mu1, a), (mu2, b) = centred(x), centred(y)
    gram = a * b.T
    if gram.rows > gram.cols:
        gram = gram.T
    values = mpmath.eigsy(gram * gram.T, eigvals_only=True)
    root = sum(mpmath.sqrt(v) for v in values if v > 0)
    traces = sum(v * v for v in a) + sum(v * v for v in b)
    return sum((p - q) ** 2 for p, q in zip(mu1, mu2)) + traces - 2 * root


def by_scipy(x, y):
    mu1, mu2 = x.astype(np.float64).mean(0), y.astype(np.float64).mean(0)
    c1, c2 = np.cov(x.astype(np.float64), rowvar=False), np.cov(y.astype(np.float64), rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2)
    if not np.isfinite(root).all():
        shift = np.eye(len(c1)) * 1e-6
        root = scipy.linalg.sqrtm((c1 + shift) @ (c2 + shift))
    return ((mu1 - mu2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * np.trace(root.real)


def cases():
    rng = np.random.default_rng(20151205)

    def features(n, d, spectrum, shift=0.0):
        basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
        return (rng.standard_normal((n, d)) * spectrum @ basis + shift).astype(np.float32)

    flat, power = np.ones(8), (np.arange(12) + 1.0) ** -1.5
    yield "two dimensions", features(9, 2, [1.0, 0.5]), features(7, 2, [0.7, 0.7], 0.3)
    yield "full rank", features(30, 8, flat), features(25, 8, 1.5 * flat, 0.2)
    yield "power-law spectrum", features(40, 12, power), features(40, 12, 1.1 * power, 0.05)
    wide = 10.0 ** -np.arange(8.0)
    yield "condition number 1e14", features(40, 8, wide), features(40, 8, wide[::-1], 0.1)
    yield "first rank-deficient", features(6, 16, np.ones(16)), features(40, 16, np.ones(16))
    yield "second rank-deficient", features(40, 16, np.ones(16)), features(6, 16, np.ones(16))
    yield "both rank-deficient", features(7, 16, np.ones(16)), features(5, 16, np.ones(16), 0.5)
    x, y = features(30, 6, np.ones(6)), features(30, 6, np.ones(6))
    x[:, 2] = 0.25  # a dead feature
    y[:, 4] = y[:, 1]  # a doubled one
    yield "dead and doubled features", x, y


print(
    json.dumps(
        {
            "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "mpmath": mpmath.__version__},
            "cases": [
                {
                    "name": name,
                    "dim": x.shape[1],
                    "x": x.ravel().tolist(),
                    "y": y.ravel().tolist(),
                    "exact": float(exact(x, y)),
                    "scipy": float(by_scipy(x, y)),
                }
                for name, x, y in cases()
            ],
        }
    )
)
