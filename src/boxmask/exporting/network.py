"""The dense parts of a network as ONNX: convolutions and other layers, from PyTorch's exporter.

The exporter that traces (`dynamo=False`) is used: on networks with dynamic sizes it takes a second, and the
one that captures with symbolic shapes half a minute to many minutes. Their graphs have the same speed.
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.exporting.graph import OPSET
from boxmask.messages import one_line
from boxmask.options import model_option
from boxmask.pipeline.layers import FoldedConv2d

Dynamic = dict[int, str]  # names of the axes of any length


def to_onnx(module: nn.Module, inputs: tuple[Tensor, ...], dynamic: tuple[Dynamic, ...]) -> onnx.ModelProto:
    """A module as an ONNX model, with frozen batch norms folded into their convolutions.

    inputs:  examples, with at least two photos or regions. Where their size is dynamic, the sides are three
             times `multiple_of`: if maps of this size have whole strides, those of all photos have.
    dynamic: for each input, the axes of any length

    Raises UsageError for a network that cannot be exported.
    """
    any_size = any(2 in axes for axes in dynamic)
    folded = _fold(copy.deepcopy(module).cpu().eval(), inputs, any_size)
    names = [f"input{number}" for number in range(len(inputs))]
    with TemporaryDirectory() as folder, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, on constants that it traces
        try:
            torch.onnx.export(
                folded,
                inputs,
                Path(folder) / "network.onnx",
                dynamo=False,
                opset_version=OPSET,
                input_names=names,
                dynamic_axes=dict(zip(names, dynamic, strict=True)),
            )
        except torch.onnx.OnnxExporterError as error:
            raise UsageError(
                f"PyTorch cannot export this network ({one_line(error)}). Train with another --backbone, or "
                "report this with the versions of torch and onnx."
            ) from error
        model = onnx.load(Path(folder) / "network.onnx")
    return _constants_to_initializers(model)


def _constants_to_initializers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store constants as weights are, which every runtime treats as constant."""
    others = []
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = numpy_helper.from_array(numpy_helper.to_array(node.attribute[0].t), node.output[0])
            model.graph.initializer.append(tensor)
        else:
            others.append(node)
    del model.graph.node[:]
    model.graph.node.extend(others)
    return model


# ---------------------------------------------------------------------- convolutions


class _PaddedConv(torch.autograd.Function):
    """A convolution whose padding differs at its two ends, as one ONNX operator."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, layer: _Conv) -> Tensor:
        top, left, bottom, right = layer.pads
        padded = F.pad(x, (left, right, top, bottom))
        return F.conv2d(padded, weight, bias, layer.stride, 0, layer.dilation, layer.groups)

    @staticmethod
    def symbolic(g: Any, x: Any, weight: Any, bias: Any, layer: _Conv) -> Any:
        return g.op(
            "Conv",
            x,
            weight,
            bias,
            strides_i=layer.stride,
            pads_i=layer.pads,
            dilations_i=layer.dilation,
            group_i=layer.groups,
        )


class _Conv(nn.Module):
    """A convolution with its frozen batch norm folded in."""

    def __init__(self, folded: FoldedConv2d, pads: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.weight = nn.Parameter((folded.weight * folded.scale[:, None, None, None]).detach())
        self.bias = nn.Parameter(folded.shift.detach().clone())
        self.stride, self.dilation, self.groups = folded.stride, folded.dilation, folded.groups
        self.pads = pads

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, _PaddedConv.apply(x, self.weight, self.bias, self))


def _fold(module: nn.Module, inputs: tuple[Tensor, ...], any_size: bool) -> nn.Module:
    """Replace folded convolutions by plain ones; TensorFlow's padding is measured at the example inputs."""
    pads: dict[nn.Module, tuple[int, int, int, int]] = {}

    def measure(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, FoldedConv2d)
        pads[layer] = _pads(layer, (int(args[0].shape[2]), int(args[0].shape[3])), any_size)

    layers = [layer for layer in module.modules() if isinstance(layer, FoldedConv2d)]
    hooks = [layer.register_forward_pre_hook(measure) for layer in layers]
    with torch.no_grad():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    if isinstance(module, FoldedConv2d):
        return _Conv(module, pads[module])
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, FoldedConv2d) and child in pads:
                setattr(parent, name, _Conv(child, pads[child]))
    return module


def _pads(layer: FoldedConv2d, size: tuple[int, int], any_size: bool) -> tuple[int, int, int, int]:
    """Padding at the top, left, bottom and right of a map of this size.

    Raises UsageError if other sizes of photos would need another padding.
    """
    if not layer.pad_same:
        vertical, horizontal = int(layer.padding[0]), int(layer.padding[1])
        return (vertical, horizontal, vertical, horizontal)
    if any_size and any(side % stride for side, stride in zip(size, layer.stride, strict=True)):
        raise UsageError(
            "the padding of this network depends on the size of the photo, so it cannot be exported. Train "
            f"it with {model_option('multiple_of', 64)}, or another multiple of the backbone's largest "
            "stride."
        )
    totals = []
    for side, kernel, stride, dilation in zip(
        size, layer.weight.shape[2:], layer.stride, layer.dilation, strict=True
    ):
        totals.append(max((-(-side // stride) - 1) * stride + (kernel - 1) * dilation + 1 - side, 0))
    top, left = (total // 2 for total in totals)
    return (top, left, totals[0] - top, totals[1] - left)
