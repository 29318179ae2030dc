"""Detect that a network is being exported; it must then contain PyTorch's own operators only."""

from __future__ import annotations

import torch


def is_exporting() -> bool:
    """Return True inside `torch.export` and `torch.jit.trace`, and False inside `torch.compile`."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    # In PyTorch 2.9, `torch.compiler.is_exporting()` is True inside `torch.compile` too; its flag is right.
    flag = getattr(torch.compiler, "_is_exporting_flag", None)
    return traced or bool(torch.compiler.is_exporting() if flag is None else flag)
