"""Call an operator's function without the operator, where nothing watches it.

PyTorch knows our functions as operators, so that it can differentiate, trace and compile them. The first call
of such an operator loads torch's compiler, which takes seconds. A prediction needs none of that: it calls the
function itself, with the same result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Function = TypeVar("Function", bound=Callable[..., Tensor])

PLAIN = (Tensor, nn.Parameter)  # the types that hold values; others stand for values, or record what happens


def operator_or_function(operator: Any, function: Function, *tensors: Tensor) -> Function:
    """The operator, if PyTorch has to see the call with these tensors. Otherwise its function."""
    return operator if _is_watched(tensors) else function


def _is_watched(tensors: tuple[Tensor, ...]) -> bool:
    """Whether the call is differentiated, traced, compiled or converted by autocast."""
    if "torch._dynamo" in sys.modules or torch.is_autocast_enabled("cpu"):
        return True
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return True
    if torch.is_grad_enabled() and any(x.requires_grad for x in tensors):
        return True
    return not all(type(x) in PLAIN for x in tensors)
