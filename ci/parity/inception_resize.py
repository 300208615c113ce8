"""Golden images for harness/metrics/fid/resize_test.ts.

    python ci/parity/inception_resize.py > fixtures/fid/resize.json

`tf` is torch-fidelity's interpolate_bilinear_2d_like_tensorflow1x (its "slow" method is bit-exact with
TensorFlow 1 on the CPU), `torch` is torch.nn.functional.interpolate, `pillow` is Image.resize of mode F with
BICUBIC, cut to [0, 255] as clean-fid does. `tf299` is the SHA-256 of the float32 values at 299x299, in
the order (y, x, channel).
"""

import base64
import hashlib
import json
import sys
import types

import numpy as np
import PIL
import torch
from PIL import Image

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("meta"))
from torch_fidelity.interpolate_compat_tensorflow import (  # noqa: E402
    interpolate_bilinear_2d_like_tensorflow1x as like_tensorflow,
)


def encode(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def planes(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def interleaved(tensor):
    return np.ascontiguousarray(tensor[0].permute(1, 2, 0).numpy(), dtype="<f4")


def pillow(pixels, height, width):
    channels = [
        np.asarray(Image.fromarray(pixels[:, :, c].astype(np.float32), mode="F").resize((width, height), Image.BICUBIC))
        for c in range(3)
    ]
    return np.stack(channels, axis=2).clip(0, 255).astype("<f4")


rng = np.random.default_rng(299)
cases = []
for (h, w), (height, width) in [
    ((5, 7), (11, 9)),
    ((13, 10), (6, 8)),
    ((4, 4), (4, 4)),
    ((1, 1), (3, 2)),
    ((2, 9), (7, 3)),
    ((32, 32), (13, 37)),
]:
    pixels = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    x = planes(pixels)
    cases.append(
        {
            "from": [h, w],
            "to": [height, width],
            "pixels": encode(pixels),
            "tf": encode(interleaved(like_tensorflow(x, size=(height, width), align_corners=False))),
            "torch": encode(interleaved(torch.nn.functional.interpolate(x, size=(height, width), mode="bilinear", align_corners=False))),
            "pillow": encode(pillow(pixels, height, width)),
            "tf299": hashlib.sha256(
                interleaved(like_tensorflow(x, size=(299, 299), align_corners=False)).tobytes()
            ).hexdigest(),
        }
    )
print(json.dumps({"versions": {"torch": torch.__version__, "pillow": PIL.__version__, "torch-fidelity": "0.4.0"}, "cases": cases}))
