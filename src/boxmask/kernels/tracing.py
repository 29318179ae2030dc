"""Whether a network is being written down instead of run: it is then to hold PyTorch's own operators."""

from __future__ import annotations

import torch


def is_exporting() -> bool:
    """True inside `torch.export` and `torch.jit.trace`; `torch.compile` runs the operators of this room."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    # PyTorch 2.9 takes `torch.compiler.is_exporting()` for True inside `torch.compile`; its flag is right
    exported = getattr(torch.compiler, "_is_exporting_flag", None)
    return traced or bool(torch.compiler.is_exporting() if exported is None else exported)
