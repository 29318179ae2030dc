"""Networks on the device, and the precision that they compute in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from boxmask.types import Target
from gpu_sections.measure import Settings, Work
from launches import make_step
from torchvision_pairs import Pair, make_pair
from training_step import make_photos


def pairs(settings: Settings) -> Iterator[tuple[Pair, list[Tensor], list[Target]]]:
    """The networks on the device, with photos and labels."""
    for name in settings.networks:
        pair = make_pair(name, settings.side).to(settings.device)
        torch.manual_seed(0)
        images, targets = make_photos(settings.batch)
        pixels = [image.to(settings.device) for image in images]
        yield pair, pixels, [target.to(settings.device) for target in targets]
        del pair
        if settings.device.type == "cuda":
            torch.cuda.empty_cache()


def step_works(pair: Pair, images: list[Tensor], targets: list[Target], precision: Any) -> tuple[Work, Work]:
    """One step of both sides; `precision` is the context of the losses."""
    return (
        make_step(pair.reference, within(precision, pair.reference_loss(images, targets))),
        make_step(pair.detector, within(precision, pair.loss(images, targets))),
    )


def bf16(device: torch.device) -> AbstractContextManager[Any]:
    """Mixed precision of both sides."""
    return torch.autocast(device.type, torch.bfloat16)


def context_of(precision: str, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """The context of "fp32" or "bf16"."""
    return nullcontext if precision == "fp32" else lambda: bf16(device)


def within(context: Callable[[], AbstractContextManager[Any]], work: Callable[[], Any]) -> Callable[[], Any]:
    """`work` inside a context."""

    def inside() -> Any:
        with context():
            return work()

    return inside
