"""Import torchvision and timm without torch's compiler, which takes longer to load than both of them.

    from boxmask import torchvision_import  # noqa: F401 (before torchvision)

torchvision asks the compiler one question, on GPUs in deterministic mode: whether it supports the device.
timm tells the compiler which of its functions to leave alone. During the import, stand-ins take the place of
these two functions. They load the compiler when they are called, or do without it while it is not loaded.

Files that import torchvision or timm belong to a package whose `__init__` imports this module, or take both
from here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import Any

import torch

COMPILER = "torch._dynamo"
ASKED = f"{COMPILER}.utils"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Within the block, imports find the stand-ins in the place of torch's compiler, unless it is loaded."""
    if COMPILER in sys.modules:
        yield
        return
    stand_in = ModuleType(ASKED, "Loads the module of this name when something of it is used.")
    stand_in.__dict__.update(is_compile_supported=_is_compile_supported, __getattr__=_load)
    disable: Any = torch.compiler.disable
    torch.compiler.disable = _disable  # type: ignore[assignment]
    sys.modules[ASKED] = stand_in
    try:
        yield
    finally:
        torch.compiler.disable = disable
        if sys.modules.get(ASKED) is stand_in:
            del sys.modules[ASKED]


def _is_compile_supported(device_type: str) -> bool:
    """Whether torch can compile for a kind of device, such as "cuda"."""
    return bool(import_module(ASKED).is_compile_supported(device_type))


def _load(name: str) -> object:
    """Anything else of the module, for versions of torchvision that ask for more."""
    if name.startswith("__"):  # a question about modules, such as those of `inspect`
        raise AttributeError(name)
    sys.modules.pop(ASKED, None)
    return getattr(import_module(ASKED), name)


def _disable(function: Any = None, recursive: bool = True, **options: Any) -> Any:
    """Like `torch.compiler.disable`, but nothing happens before the compiler is loaded."""
    if function is None:
        return lambda decorated: _disable(decorated, recursive, **options)
    left_alone: list[Callable[..., Any]] = []

    @wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if COMPILER not in sys.modules:
            return function(*arguments, **keywords)
        if not left_alone:
            left_alone.append(torch.compiler.disable(function, recursive, **options))
        return left_alone[0](*arguments, **keywords)

    return call


with without_compiler():
    import timm
    import torchvision

__all__ = ["timm", "torchvision"]
