"""The cost of predicting one photo at a time: `python benchmarks/photo_lists.py`.

`predict` runs the network on each photo of a list alone, so that a result does not depend on the other photos
(docs/decisions/0025). The anchor is the same network on the whole list as one batch. The weights are random,
and lists have photos of one shape or of two.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from boxmask.models.table import make_config, model_entry
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from side_by_side import Plan, in_turns

MODELS = ("faster-rcnn", "fcos", "unet")
LISTS = {  # (height, width) of the photos in a list
    "one shape": ((240, 320),) * 4,
    "two shapes": ((240, 320), (320, 240)) * 2,
}


def photos(kind: str) -> list[Tensor]:
    """Random pixels, which every network takes as long for as for a photo."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(256, (3, *size), dtype=torch.uint8, generator=generator) for size in LISTS[kind]]


def make_predictor(name: str, kind: str, *, as_batch: bool) -> Callable[[], Any]:
    """The work to time: predict the list, photo by photo or as one batch."""
    entry = model_entry(name)
    with SeededRandomNumbers(0):
        model = entry.build(make_config(name, "default", class_names=("a", "b"), shorter_side=320), None)
    model.eval()
    images = photos(kind)
    if as_batch:  # the method without `accepts_photos`, which hands it one photo at a time
        return partial(type(model).predict.__wrapped__, model, images)
    return partial(model.predict, images)


def main() -> None:
    """Print seconds per list for each model, both ways, and their ratio."""
    parser = argparse.ArgumentParser(prog="photo_lists", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    table = Table("model", "list", "one batch, s", "one at a time, s", "ratio")
    for name, kind in product(MODELS, LISTS):
        plans = {
            way: Plan(partial(make_predictor, name, kind, as_batch=way == "batch"), keep=True)
            for way in ("batch", "alone")
        }
        timings = in_turns(plans, options.rounds, options.threads)
        batch, alone = timings["batch"].seconds, timings["alone"].seconds
        table.add_row(name, kind, f"{batch:.3f}", f"{alone:.3f}", f"{alone / batch:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
