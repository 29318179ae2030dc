"""Seconds per photo of exported files beside torchvision's networks: `python benchmarks/exported.py`.

Each detector of torchvision's with ResNet-50-FPN at 800 pixels has the same weights on all sides:
torchvision, boxmask in PyTorch, and boxmask's exported file in 32 and in 8 bits. The default SSD at 320
pixels stands beside torchvision's SSDLite. Photos are given one at a time, as decoded pixels; the time runs
until boxes and masks are in the photo's own pixels. Scales for 8 bits come from the same photos: only speed
is measured here.

The limit of 8 bits is the time of the network's multiplications, counted by PyTorch, at the speed of ONNX
Runtime's 8-bit matrix product on this machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_images
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import detection

import boxmask
from boxmask.detectors.contract import Detector
from boxmask.exporting.int8.layers import find_layers
from boxmask.exporting.int8.quantize import quantize, tensors_to_measure
from boxmask.exporting.int8.ranges import measure_scales
from boxmask.exporting.metadata import add_metadata
from boxmask.exporting.session import pack
from boxmask.exporting.table import build_graph
from boxmask.models.table import make_config, model_entry, name_of
from boxmask.weights import from_torchvision
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint
from side_by_side import Plan, Timing, in_turns, product_peak

NETWORKS = (
    "fasterrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
)
LIGHT = "ssdlite320_mobilenet_v3_large"
SIDES = ("torchvision", "boxmask, PyTorch", "exported, 32 bits", "exported, 8 bits")
CLASSES = 5
Photo = NDArray[np.uint8]


def photos() -> list[Photo]:
    """The two photos that come with scikit-learn, 427x640 pixels."""
    return [np.array(picture) for picture in load_sample_images().images]


# ---------------------------------------------------------------- the networks


def reference(name: str) -> nn.Module:
    """torchvision's network, with random weights that give some objects in every photo."""
    torch.manual_seed(0)
    model: Any = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=CLASSES)
    with torch.no_grad():
        if hasattr(model, "rpn"):
            for layer in model.backbone.fpn.layer_blocks:
                layer[0].weight.mul_(0.02)
            for layer in (model.rpn.head.cls_logits, model.roi_heads.box_predictor.cls_score):
                nn.init.normal_(layer.weight, std=0.05)
        elif name != LIGHT:
            for layer in model.backbone.fpn.layer_blocks:
                layer[0].weight.mul_(0.1)
            nn.init.normal_(model.head.classification_head.cls_logits.weight, std=0.05)
    network: nn.Module = model.eval()
    return network


def detector(name: str) -> Detector:
    """boxmask's network with the same weights; for the light one, the default SSD."""
    if name == LIGHT:
        torch.manual_seed(0)
        classes = tuple(f"class {index}" for index in range(CLASSES - 1))
        model: Any = model_entry("ssd").build(make_config("ssd", "default", class_names=classes), None)
    else:
        model = from_torchvision(name, reference(name).state_dict())
    found: Detector = model.eval()
    return found


def write_files(name: str, folder: Path) -> dict[str, Path]:
    """Export a network in 32 and in 8 bits."""
    checkpoint, file, file8 = (
        folder / f"{name}{suffix}" for suffix in (".safetensors", ".onnx", ".int8.onnx")
    )
    model = detector(name)
    save(model, checkpoint)
    proto = build_graph(model).model()
    add_metadata(proto, model, checkpoint)
    file.write_bytes(proto.SerializeToString())
    layers, feeds = find_layers(proto), [pack([photo]) for photo in photos()]
    scales = measure_scales(proto, tensors_to_measure(proto, layers), feeds)
    file8.write_bytes(quantize(proto, layers, scales).SerializeToString())
    return {SIDES[2]: file, SIDES[3]: file8}


def count_objects(model: Any) -> int:
    return sum(len(found) for found in model.predict(photos()))


def save(model: Detector, checkpoint: Path) -> None:
    metadata = CheckpointMetadata(name_of(model), json.loads(json.dumps(asdict(model.config))))
    save_checkpoint(checkpoint, model.state_dict(), metadata)


# ---------------------------------------------------------------- the work of each side


def torchvision_work(name: str) -> Callable[[], None]:
    model, images = reference(name), [torch.from_numpy(p).permute(2, 0, 1) / 255 for p in photos()]

    def work() -> None:
        with torch.inference_mode():
            for image in images:
                model([image])

    return work


def predict_work(predict: Callable[[Photo], object]) -> Callable[[], None]:
    pictures = photos()

    def work() -> None:
        for picture in pictures:
            predict(picture)

    return work


def boxmask_work(name: str) -> Callable[[], None]:
    return predict_work(detector(name).predict)


def exported_work(file: Path, threads: int) -> Callable[[], None]:
    return predict_work(boxmask.load(file, threads=threads).predict)


def plans_of(name: str, files: dict[str, Path], threads: int) -> dict[str, Plan]:
    return {
        SIDES[0]: Plan(partial(torchvision_work, name)),
        SIDES[1]: Plan(partial(boxmask_work, name), keep=True),
        **{side: Plan(partial(exported_work, file, threads)) for side, file in files.items()},
    }


# ---------------------------------------------------------------- the limit


def multiplications(name: str) -> float:
    """Floating-point operations per photo of the network, counted by PyTorch."""
    model = detector(name)
    with FlopCounterMode(display=False) as counter:
        model.predict(photos())
    return float(counter.get_total_flops()) / len(photos())


def int8_peak(threads: int, side: int = 2048) -> float:
    """Operations per second of ONNX Runtime's 8-bit matrix product."""
    random = np.random.default_rng(0)
    weights = numpy_helper.from_array(random.integers(-127, 128, (side, side), dtype=np.int8), "b")
    node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    values = [helper.make_tensor_value_info("a", onnx.TensorProto.UINT8, [side, side])]
    outputs = [helper.make_tensor_value_info("c", onnx.TensorProto.INT32, [side, side])]
    graph = helper.make_graph([node], "product", values, outputs, [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    inputs = {"a": random.integers(0, 256, (side, side), dtype=np.uint8)}
    fastest = float("inf")
    for _ in range(8):
        begin = time.perf_counter()
        session.run(None, inputs)
        fastest = min(fastest, time.perf_counter() - begin)
    return 2 * side**3 / fastest


# ---------------------------------------------------------------- the program


def table_of(title: str, found: dict[str, Timing]) -> Table:
    table = Table("", "ms per photo", "photos/s", "speed", "peak memory", title=title)
    first = found[SIDES[0]].seconds
    for side, timing in found.items():
        each = timing.seconds / len(photos())
        speed = f"{first / timing.seconds:.2f}x"
        table.add_row(side, f"{each * 1e3:.0f}", f"{1 / each:.1f}", speed, f"{timing.peak:.1f} GB")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, help="threads per side (default: PyTorch's)")
    parser.add_argument("--rounds", type=int, default=5, help="runs per side; the tables show medians")
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS, LIGHT], choices=[*NETWORKS, LIGHT])
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads, console = torch.get_num_threads(), Console(width=110)
    peaks = product_peak(), int8_peak(threads)
    console.print(
        f"{threads} threads; matrix product: {peaks[0] / 1e9:.0f} GFLOP/s in 32 bits, "
        f"{peaks[1] / 1e9:.0f} billion operations per second in 8 bits"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks:
            files = write_files(name, Path(folder))
            counts = [count_objects(model) for model in (detector(name), boxmask.load(files[SIDES[2]]))]
            flops = multiplications(name)
            found = in_turns(plans_of(name, files, threads), options.rounds, threads)
            limits = ", ".join(
                f"{flops / peak * 1e3:.0f} ms in {bits} bits"
                for bits, peak in zip((32, 8), peaks, strict=True)
            )
            objects = f"{counts[0]} objects ({counts[1]} in the exported file)"
            console.print(table_of(f"{name}: {objects}; the products alone: {limits}", found))


if __name__ == "__main__":
    main()
