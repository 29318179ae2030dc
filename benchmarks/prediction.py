"""Seconds per photo of a loaded detector beside torchvision's: `python benchmarks/prediction.py`.

Faster R-CNN with ResNet-50-FPN at 800 pixels has the same weights on both sides; the script first checks that
both give the same detections. boxmask's defaults at 320 pixels have no counterpart in torchvision; they stand
beside SSDLite with MobileNetV3, torchvision's network for CPUs. Photos are given one at a time, as decoded
pixels. The time runs until the boxes are in the photo's own pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torchvision.models.detection import fasterrcnn_resnet50_fpn, ssdlite320_mobilenet_v3_large

import boxmask
from boxmask.detectors.contract import Detector
from boxmask.models.table import make_config, model_entry
from boxmask.photos.find import find_photos
from boxmask.photos.read import load_photo
from boxmask.weights import from_torchvision
from side_by_side import Plan, Timing, in_turns, product_peak

PHOTOS = 4  # used of a folder
DEFAULTS = ("faster-rcnn", "ssd", "retinanet", "fcos")
Sources = Path | None


def make_photos(folder: Sources) -> list[Tensor]:
    """(3, H, W) uint8: the first photos of a folder, or the two in scikit-learn."""
    if folder is None:
        pictures = load_sample_images().images
    else:
        pictures = [load_photo(path) for path in find_photos([folder])[:PHOTOS]]
    return [torch.from_numpy(np.array(picture)).permute(2, 0, 1) for picture in pictures]


def with_spread_scores(model: nn.Module) -> nn.Module:
    """Change the random weights so that scores differ: boxes are then decoded, suppressed and kept."""
    with torch.no_grad():
        for layer in model.backbone.fpn.layer_blocks:
            layer[0].weight.mul_(0.02)
        for layer in (model.rpn.head.cls_logits, model.roi_heads.box_predictor.cls_score):
            nn.init.normal_(layer.weight, std=0.05)
    return model.eval()


def torchvision_detector() -> nn.Module:
    torch.manual_seed(0)
    return with_spread_scores(fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=5))


def boxmask_detector() -> Detector:
    return from_torchvision("fasterrcnn_resnet50_fpn", torchvision_detector().state_dict())


def default(model: str) -> Detector:
    torch.manual_seed(0)
    return model_entry(model).build(make_config(model, "default", class_names=("a", "b", "c")), None).eval()


def ssdlite() -> nn.Module:
    torch.manual_seed(0)
    return ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=4).eval()


def over(photos: list[Tensor], predict: Callable[[list[Tensor]], object]) -> Callable[[], None]:
    def work() -> None:
        with torch.inference_mode():
            for photo in photos:
                predict([photo])

    return work


def torchvision_work(folder: Sources) -> Callable[[], None]:
    return over([photo / 255 for photo in make_photos(folder)], torchvision_detector())


def boxmask_work(folder: Sources) -> Callable[[], None]:
    return over(make_photos(folder), boxmask_detector().predict)


def ssdlite_work(folder: Sources) -> Callable[[], None]:
    return over([photo / 255 for photo in make_photos(folder)], ssdlite())


def default_work(folder: Sources, model: str) -> Callable[[], None]:
    return over(make_photos(folder), default(model).predict)


def run_work(folder: Sources, run: Path) -> Callable[[], None]:
    return over(make_photos(folder), boxmask.load(run).predict)


def same_detections(folder: Sources) -> int:
    """The number of detections; raises AssertionError if the two sides differ."""
    photos = make_photos(folder)
    with torch.inference_mode():
        detector = torchvision_detector()
        expected = [detector([photo / 255])[0] for photo in photos]  # in a batch, padding changes its results
    found = boxmask_detector().predict([photo / 255 for photo in photos])
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.from_numpy(a.boxes), b["boxes"], atol=1e-2, rtol=1e-4)
        torch.testing.assert_close(torch.from_numpy(a.scores), b["scores"], atol=1e-4, rtol=1e-4)
        assert torch.equal(torch.from_numpy(a.labels) + 1, b["labels"])
    return sum(map(len, found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads per side (default: PyTorch's)")
    parser.add_argument("--rounds", type=int, default=5, help="runs per side; the table shows medians")
    parser.add_argument("--photos", type=Path, help="folder of photos (default: two of scikit-learn's)")
    parser.add_argument("--run", type=Path, help="a trained detector to time as well")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads, folder = torch.get_num_threads(), options.photos
    console = Console(width=110)
    console.print(f"{threads} threads, matrix product {product_peak() / 1e9:.0f} GFLOP/s")
    console.print(f"R50-FPN: the same {same_detections(folder)} detections on both sides")
    plans = {
        "torchvision, R50-FPN, 800 px": Plan(partial(torchvision_work, folder)),
        "torchvision, freed memory kept": Plan(partial(torchvision_work, folder), keep=True),
        "boxmask, R50-FPN, 800 px": Plan(partial(boxmask_work, folder), keep=True),
    }
    light = {
        "torchvision, SSDLite320 MobileNetV3": Plan(partial(ssdlite_work, folder)),
        "torchvision, freed memory kept": Plan(partial(ssdlite_work, folder), keep=True),
        **{f"boxmask, {m}": Plan(partial(default_work, folder, m), keep=True) for m in DEFAULTS},
    }
    if options.run:
        light[f"boxmask, {options.run}"] = Plan(partial(run_work, folder, options.run), keep=True)
    count = len(make_photos(folder))
    console.print(table_of(in_turns(plans, options.rounds, threads), count, "the same network"))
    found = in_turns(light, options.rounds, threads)
    console.print(table_of(found, count, "default networks at 320 px, random weights"))


def table_of(found: dict[str, Timing], count: int, title: str) -> Table:
    """One row per side; `count` photos per round."""
    table = Table("", "ms per photo", "photos/s", "speed", "peak memory", title=title)
    first = next(iter(found.values())).seconds
    for name, timing in found.items():
        each = timing.seconds / count
        speed = f"{first / timing.seconds:.1f}x"
        table.add_row(name, f"{each * 1e3:.0f}", f"{1 / each:.1f}", speed, f"{timing.peak:.1f} GB")
    return table


if __name__ == "__main__":
    main()
