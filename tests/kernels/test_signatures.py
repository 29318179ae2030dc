"""The kernels take torchvision's arguments: a program may replace one by the other."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torchvision

from boxmask import kernels


def arguments(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", ["roi_align", "roi_pool", "nms", "batched_nms"])
def test_arguments_and_defaults_are_torchvisions(name: str) -> None:
    assert arguments(getattr(kernels, name)) == arguments(getattr(torchvision.ops, name))
