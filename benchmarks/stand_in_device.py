"""A device that computes on the CPU, is taken for a GPU, and counts what a GPU would be asked to do.

Inside `StandInDevice`, tensors on the device "meta" have values. Networks choose their path by the device's
name, so that they run torchvision's and PyTorch's operators as on a GPU, with the results of the CPU.

An operator counts if it computes: views, allocations and changes of metadata do not. A mask as an index
counts twice, because a `nonzero` comes first. An operator over a list of tensors counts once.

A synchronization is a point at which the host waits for the device: it needs a scalar, a copy or the size of
a result, or it copies to the device without `non_blocking`.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch._C import DispatchKey
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from stand_in_tensor import DEVICE, HOST, Creation, OnDevice

VALUE_SIZED = {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "nms"}
SCALARS = {"_local_scalar_dense", "equal"}
COPIES = {"_to_copy", "copy_"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}  # a mask among the indices has a nonzero
FREE = {
    "empty",
    "empty_like",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "detach",
    "detach_",
    "lift_fresh",
    "alias",
    "_unsafe_view",
    "_reshape_alias",
    "set_",
    "resize_",
}
SKIPPED = ("/stand_in_", "/torch/", "/contextlib", "/jaxtyping/", "/torchvision/_", "/torchvision/ops/_")


@dataclass
class Counts:
    """What was asked of the device.

    operators: runs by stage
    waits:     synchronizations by stage
    places:    runs and waits by (name, line of code)
    """

    operators: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, str]] = field(default_factory=Counter)

    def totals(self) -> tuple[int, int]:
        """Operators and waits."""
        return self.operators.total(), self.waits.total()

    def of_stage(self, stage: str) -> tuple[int, int]:
        """Operators and waits of one stage."""
        return self.operators[stage], self.waits[stage]


class StandInDevice:
    """Run operators of the device on the CPU, and count them.

    with_places: also count by line of code, which is slow
    """

    def __init__(self, with_places: bool = False) -> None:
        self._operators = _Operators(with_places)
        self._inside = ExitStack()

    def __enter__(self) -> StandInDevice:
        """Switch on."""
        for manager in (Creation(), *_lists_of_a_gpu(), self._operators):
            self._inside.enter_context(manager)
        return self

    def __exit__(self, *error: Any) -> None:
        """Switch off."""
        self._inside.close()

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Count what runs inside the block for this stage, unless it is inside the block of another one."""
        return self._operators.in_stage(name)

    def count(self, work: Callable[[], object]) -> Counts:
        """Count what `work` asks for."""
        self._operators.counts = counts = Counts()
        work()
        self._operators.counts = Counts()
        return counts


class _Operators(TorchDispatchMode):
    def __init__(self, with_places: bool) -> None:
        super().__init__()
        self.with_places, self.stage, self.counts = with_places, "", Counts()

    @contextmanager
    def in_stage(self, name: str) -> Iterator[None]:
        before = self.stage
        self.stage = before or name
        yield
        self.stage = before

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator."""
        kwargs = kwargs or {}
        leaves = tree_flatten((args, kwargs))[0]
        inputs = [x for x in leaves if isinstance(x, OnDevice)]
        targets = [x for x in leaves if isinstance(x, torch.device)]
        on_device = targets[0] == DEVICE if targets else bool(inputs)
        if not inputs and not on_device:
            return func(*args, **kwargs)
        if torch.is_inference_mode_enabled() and DispatchKey.CompositeImplicitAutograd not in func.py_kernels:
            with self:  # operators made of operators, which outside of inference mode autograd takes apart
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        args_on_host, kwargs_on_host = tree_map(_on_host, (args, kwargs))
        # a view of a normal tensor is a normal tensor, also in inference mode
        from_normal = _returns_views(func) and not any(x.is_inference() for x in inputs)
        with torch.inference_mode(torch.is_inference_mode_enabled() and not from_normal):
            result = func(*args_on_host, **kwargs_on_host)
            self._count(func, args, kwargs, inputs, result, on_device)
            return _wrap(result, inputs) if on_device else result

    def _count(
        self, func: Any, args: Any, kwargs: Any, inputs: list[OnDevice], result: Any, on_device: bool
    ) -> None:
        packet = func._schema.name.split("::")[-1]
        copies = on_device and packet in COPIES and _is_on_host(args[packet == "copy_"])
        waits = packet in VALUE_SIZED | SCALARS or not on_device
        waits |= copies and not kwargs.get("non_blocking", len(args) > 2 and args[2])
        operators = int(packet not in FREE | SCALARS and (func._schema.is_mutable or _is_new(result, inputs)))
        if packet in INDEXING:
            masks = [x for x in args[1] if isinstance(x, Tensor) and x.dtype in (torch.bool, torch.uint8)]
            filled = packet != "index" and len(masks) == len(args[1]) == 1 and args[2].numel() == 1
            waits = any(_is_on_host(x) for x in args[1])
            waits |= bool(masks) and not filled  # PyTorch fills a mask with one value in place
            operators += len(masks) * (not filled)
        elif packet == "repeat_interleave":
            waits = kwargs.get("output_size") is None
        self.counts.waits[self.stage] += waits
        self.counts.operators[self.stage] += operators
        if self.with_places and (waits or operators):
            line = _line()
            self.counts.places[packet, line] += operators
            self.counts.places["wait: " + packet, line] += waits


def _returns_views(func: Any) -> bool:
    """Whether the operator may return views of its inputs, and writes nothing."""
    aliases = [returned.alias_info for returned in func._schema.returns]
    return bool(aliases) and all(alias is not None and not alias.is_write for alias in aliases)


def _is_new(result: Any, inputs: list[OnDevice]) -> bool:
    """Whether the operator made something that is no view of its inputs."""
    storages = {x.values.untyped_storage().data_ptr() for x in inputs}
    made = [x for x in tree_flatten(result)[0] if isinstance(x, Tensor)]
    return not made or any(x.untyped_storage().data_ptr() not in storages for x in made)


def _lists_of_a_gpu() -> list[AbstractContextManager[Any]]:
    """Put the device on PyTorch's lists of those on which it updates all parameters at once."""
    lists = {
        "_get_foreach_kernels_supported_devices": lambda: [DEVICE.type],
        "_get_fused_kernels_supported_devices": lambda: [DEVICE.type],
        "_foreach_supported_types": [OnDevice],
    }
    modules = [import_module(name) for name in ("torch.utils._foreach_utils", "torch.optim.optimizer")]
    found = [(module, name) for module in modules for name in lists if hasattr(module, name)]
    return [patch.object(module, name, lists[name]) for module, name in found]


def _is_on_host(x: Any) -> bool:
    return isinstance(x, Tensor) and not isinstance(x, OnDevice)


def _on_host(x: Any) -> Any:
    if isinstance(x, torch.device):
        return HOST
    return x.values if isinstance(x, OnDevice) else x


def _wrap(result: Any, inputs: list[OnDevice]) -> Any:
    """Put the result on the device; an operator in place returns its input."""
    known = {id(x.values): x for x in inputs}

    def wrap(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return known[id(x)] if id(x) in known else OnDevice(x)

    return tree_map(wrap, result)


def _line() -> str:
    """The innermost line outside PyTorch's own code, as "file:line"; "backward" if there is none."""
    for frame in reversed(traceback.extract_stack()):
        name = frame.filename
        if not any(part in name for part in SKIPPED):
            return "backward" if ".backward()" in (frame.line or "") else f"{Path(name).name}:{frame.lineno}"
    return "?"
