"""Golden values of KID, Inception Score, precision, recall, density and coverage.

    python ci/parity/inception_relatives.py > fixtures/fid/relatives.json

KID and the Inception Score by torch-fidelity's own functions in float64, without its random choice of
subsets and order; the scores of neighbours by prdc (k = 5), precision and recall (k = 3) by torch-fidelity.
"""

import json
import sys
import types

import numpy as np
import prdc
import torch

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("meta"))
from torch_fidelity.metric_isc import isc_features_to_metric  # noqa: E402
from torch_fidelity.metric_kid import kernel_poly, mmd2  # noqa: E402
from torch_fidelity.metric_prc import calculate_precision_recall_full  # noqa: E402

rng = np.random.default_rng(2018)
samples = np.abs(rng.standard_normal((40, 12))).astype(np.float32)
real = np.abs(rng.standard_normal((55, 12)) * 1.3 + 0.2).astype(np.float32)
logits = (3 * rng.standard_normal((43, 20))).astype(np.float32)

x, y = samples.astype(np.float64), real[:40].astype(np.float64)
kernel = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
kid = mmd2(kernel_poly(x, x, **kernel), kernel_poly(x, y, **kernel), kernel_poly(y, y, **kernel))
isc = isc_features_to_metric(torch.from_numpy(logits), splits=4, shuffle=False)
sys.stdout, keep = sys.stderr, sys.stdout
overlap = prdc.compute_prdc(real.astype(np.float64), samples.astype(np.float64), nearest_k=5)
sys.stdout = keep
precision, recall = calculate_precision_recall_full(
    torch.from_numpy(samples).double(), torch.from_numpy(real).double(), neighborhood=3
)
print(
    json.dumps(
        {
            "versions": {"torch": torch.__version__, "torch-fidelity": "0.4.0", "prdc": "0.2"},
            "dim": 12,
            "samples": samples.ravel().tolist(),
            "real": real.ravel().tolist(),
            "classes": 20,
            "logits": logits.ravel().tolist(),
            "kid": kid,
            "inceptionScore": {"splits": 4, "mean": isc["inception_score_mean"], "std": isc["inception_score_std"]},
            "neighbours5": {k: float(v) for k, v in overlap.items()},
            "neighbours3": {"precision": precision, "recall": recall},
        }
    )
)
