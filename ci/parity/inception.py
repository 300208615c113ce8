"""Golden features of the Inception network with random weights, for harness/metrics/fid/inception_test.ts.

    python ci/parity/inception.py fixtures/fid/inception.json [FOLDER]

The weights come from an integer hash of (name, index) that the test computes too, so no file of 95 MB is
kept. The references are torch-fidelity's feature extractor (mode tf: its own TF1 resize) and
pytorch-fid's (mode pytorch-fid). With FOLDER, the same weights are also saved there by torch.save in both
of its formats, as legacy.pth and zip.pth.

Needs torch 2.13.0, torchvision, pytorch-fid 0.3.0, torch-fidelity 0.4.0. No weights are downloaded.
"""

import base64
import collections
import json
import os
import sys
import tempfile
import types

import numpy as np
import torch

# torchvision registers fake kernels for its compiled operators, which a build without them lacks;
# nothing here uses them.
sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("meta"))

import pytorch_fid.inception  # noqa: E402
import torch_fidelity  # noqa: E402
from inception_hash import uniform  # noqa: E402
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # noqa: E402


def random_parameter(name, shape):
    u = uniform(name, int(np.prod(shape)))
    if name.endswith("conv.weight"):  # variance 2 / fan-in (He et al. 2015), so maps keep their size
        values = (u - 0.5) * np.sqrt(24 / np.prod(shape[1:]))
    elif name == "fc.weight":
        values = (u - 0.5) * 0.1
    elif name.endswith("bn.weight"):
        values = 0.75 + 0.5 * u
    elif name.endswith("running_var"):
        values = 0.5 + u
    else:  # biases and means
        values = 0.5 * (u - 0.5)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def image(name, height, width):
    """Noise over a gradient, uint8 [height, width, 3]."""
    noise = uniform(name, height * width * 3).reshape(height, width, 3)
    ramp = np.arange(width)[None, :, None] / width
    return np.floor(128 * noise + 127 * ramp).astype(np.uint8)


def encode(array):
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def main(target, folder=None):
    torch.set_num_threads(2)
    template = pytorch_fid.inception._inception_v3(num_classes=1008, aux_logits=False, weights=None)
    make = pytorch_fid.inception.fid_inception_v3
    loaded = {}

    def state_dict(*_args, **_kwargs):
        return loaded

    # The shapes of the parameters, from the module that pytorch-fid itself builds.
    pytorch_fid.inception.load_state_dict_from_url = state_dict
    shapes = {}
    original = torch.nn.Module.load_state_dict
    torch.nn.Module.load_state_dict = lambda self, _sd: shapes.update(
        {k: tuple(v.shape) for k, v in self.state_dict().items()}
    )
    make()
    torch.nn.Module.load_state_dict = original
    del template
    loaded = collections.OrderedDict(
        (name, torch.tensor(0) if name.endswith("num_batches_tracked") else random_parameter(name, shape))
        for name, shape in shapes.items()
    )
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or temporary
        legacy = os.path.join(place, "legacy.pth")
        torch.save(loaded, legacy, _use_new_zipfile_serialization=False)
        if folder:
            torch.save(loaded, os.path.join(place, "zip.pth"))
        extractor = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=legacy
        )
    model = pytorch_fid.inception.InceptionV3([3]).eval()
    images = [("first", 32, 32), ("second", 48, 80), ("third", 299, 299)]
    entries = []
    for name, height, width in images:
        pixels = torch.from_numpy(image(name, height, width)).permute(2, 0, 1)[None]
        with torch.no_grad():
            pool3, logits = extractor(pixels)
            other = model(pixels.float() / 255)[0][:, :, 0, 0]
        entries.append(
            {
                "name": name,
                "height": height,
                "width": width,
                "tf": encode(pool3),
                "logits_unbiased": encode(logits),
                "pytorch-fid": encode(other),
            }
        )
        print(name, pool3.mean(), pool3.std(), pool3.max(), logits.std(), (pool3 - other).abs().max())
    with open(target, "w") as file:
        json.dump(
            {
                "versions": {"torch": torch.__version__, "torch-fidelity": torch_fidelity.__version__, "pytorch-fid": "0.3.0"},
                "images": entries,
            },
            file,
        )


main(*sys.argv[1:])
