"""Small files of torch.save in both of its formats, for harness/formats/torch_file_test.ts.

    python ci/parity/inception_torch_files.py fixtures/fid
"""

import collections
import os
import sys

import torch

tensors = collections.OrderedDict()
tensors["weight"] = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4
base = torch.linspace(-1, 1, 9)
tensors["first_part"] = base[:4]  # two views of one storage
tensors["second_part"] = base[4:].reshape(5, 1, 1)
tensors["parameter"] = torch.nn.Parameter(torch.tensor([1.5, -2.5]))
tensors["empty"] = torch.zeros(0, 3)
tensors["scalar"] = torch.tensor(7.25)
tensors["bn.num_batches_tracked"] = torch.tensor(3)
tensors._metadata = collections.OrderedDict(version=2)  # as state_dict() hangs on
folder = sys.argv[1]
torch.save(tensors, os.path.join(folder, "torch_zip.pth"))
torch.save(tensors, os.path.join(folder, "torch_legacy.pth"), _use_new_zipfile_serialization=False)
torch.save({"x": torch.ones(2, 3).T}, os.path.join(folder, "torch_transposed.pth"))
torch.save({"x": torch.ones(2).half()}, os.path.join(folder, "torch_half.pth"))
