"""Networks from PyTorch's exporter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from boxmask.errors import UsageError
from boxmask.exporting.network import to_onnx
from boxmask.pipeline.features.backbone import Backbone

ANY_SIZE = ({0: "batch", 2: "height", 3: "width"},)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "mobilenetv3_small_050"])
def test_batch_norms_and_padding_become_part_of_the_convolutions(name: str) -> None:
    backbone = Backbone(name, (8, 16, 32), None).eval()
    model = to_onnx(backbone, (torch.zeros(2, 3, 96, 96),), ANY_SIZE)
    kinds = {node.op_type for node in model.graph.node}
    assert not kinds & {"BatchNormalization", "Pad", "Constant"}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for size in ((1, 3, 64, 128), (3, 3, 160, 32)):
        pixels = torch.randn(size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = backbone(pixels)
        found = session.run(None, {"input0": pixels.numpy()})
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b.numpy(), rtol=0, atol=1e-3 * max(1.0, float(b.abs().max())))


def test_padding_that_depends_on_the_size_is_refused() -> None:
    backbone = Backbone("tf_efficientnet_lite0", (8, 16, 32), None).eval()
    with pytest.raises(UsageError, match="padding of this network depends on the size of the photo"):
        to_onnx(backbone, (torch.zeros(2, 3, 48, 48),), ANY_SIZE)
    fixed = to_onnx(backbone, (torch.zeros(2, 3, 48, 48),), ({0: "batch"},))  # photos of one size alone
    onnx.checker.check_model(fixed)


class Unsupported(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.special.bessel_j0(x)


def test_what_the_exporter_lacks_is_named() -> None:
    with pytest.raises(UsageError, match=r"PyTorch cannot export this network \(.*bessel_j0"):
        to_onnx(Unsupported(), (torch.zeros(2, 3),), ({0: "batch"},))


def test_the_module_stays_as_it_was(tmp_path: Path) -> None:
    backbone = Backbone("resnet18", (8,), None)
    before = [type(layer) for layer in backbone.modules()]
    to_onnx(backbone, (torch.zeros(2, 3, 32, 32),), ANY_SIZE)
    assert [type(layer) for layer in backbone.modules()] == before
    assert backbone.training
