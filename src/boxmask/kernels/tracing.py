"""Whether a network is being written down instead of run: it is then to hold PyTorch's own operators."""

from __future__ import annotations

import torch


def is_exporting() -> bool:
    """True inside `torch.export` and `torch.jit.trace`; `torch.compile` runs the operators of this room."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return torch.compiler.is_exporting() or traced
