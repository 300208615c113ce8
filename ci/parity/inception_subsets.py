"""Indices of the CIFAR-10 images behind torch-fidelity's published FIDs, for harness/metrics/fid/fid_pins_test.ts.

    python ci/parity/inception_subsets.py > fixtures/fid/cifar10_subsets.json

As torch-fidelity's utils/util_dump_dataset_as_images.py chooses them: numpy's legacy generator with seed
2020, without replacement. Index in the training files one after the other, or in the test file.
"""

import json

import numpy as np


def subset(count, size):
    return sorted(np.random.RandomState(2020).choice(count, size, replace=False).tolist())


print(json.dumps({f"{part}{size}": subset(count, size) for part, count in [("train", 50000), ("test", 10000)] for size in (256, 5000)}))
