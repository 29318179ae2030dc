"""Where the time of a PyTorch model goes: its stages are timed while it predicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from time import perf_counter
from typing import Any

from torch import nn

from boxmask.detectors.contract import Detector

METHODS = {
    "prepare": "resizing",
    "propose": "proposals",
    "rpn_proposals": "proposals",
    "features": "features",
    "extract_features": "features",
    "heads": "heads",
    "scores": "heads",
    "deltas": "heads",
    "postprocess": "postprocess",
    "add_masks": "postprocess",
}
"""The stage of each method that a model may have."""

MODULES = {
    "backbone": "features",
    "box_head": "heads",
    "mask_head": "heads",
    "head": "heads",
    "logits": "heads",
}
"""The stage of each part of a network that a model may have."""

ROI_FEATURES = "RoI features"


class StageClock:
    """Time per stage. The time of a stage inside another one counts for the inner stage alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    def enter(self, stage: str) -> None:
        """A stage begins."""
        self._count()
        self._open.append(stage)

    def leave(self) -> None:
        """The stage that began last ends."""
        self._count()
        self._open.pop()

    def _count(self) -> None:
        now = perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


def time_stages(model: nn.Module, clock: StageClock) -> None:
    """Let the stages of a model, and of a detector inside it, report to the clock from now on."""
    methods = METHODS | ({"pool": ROI_FEATURES} if isinstance(model, Detector) else {})
    for name, stage in methods.items():
        if callable(getattr(type(model), name, None)):
            setattr(model, name, _timed(getattr(model, name), stage, clock))
    for name, stage in MODULES.items():
        if isinstance(part := getattr(model, name, None), nn.Module):
            part.register_forward_pre_hook(_entering(stage, clock))
            part.register_forward_hook(lambda *_: clock.leave())
    for part in model.children():
        if isinstance(part, Detector):
            time_stages(part, clock)


def _timed(method: Callable[..., Any], stage: str, clock: StageClock) -> Callable[..., Any]:
    @wraps(method)
    def timed(*arguments: Any, **options: Any) -> Any:
        clock.enter(stage)
        try:
            return method(*arguments, **options)
        finally:
            clock.leave()

    return timed


def _entering(stage: str, clock: StageClock) -> Callable[..., None]:
    def enter(*_: Any) -> None:
        clock.enter(stage)

    return enter
