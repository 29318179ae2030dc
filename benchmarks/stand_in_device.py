"""A device that computes on the CPU, is taken for a GPU, and counts what a GPU would be asked to do.

Inside `StandInDevice`, tensors on the device "meta" have values. Networks choose their path by the device's
name, so that they run torchvision's and PyTorch's operators as on a GPU, with the results of the CPU.

An operator counts if it computes: views, allocations and changes of metadata do not. A synchronization is a
point at which the host needs a result before it goes on: a scalar, a copy to the host, or an operator whose
result has a size that depends on values.
"""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")
HOST = torch.device("cpu")
VALUE_SIZED = {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "nms"}
SCALARS = {"_local_scalar_dense", "equal", "is_nonzero", "item"}
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
SKIPPED_FOLDERS = ("/torch/", "/contextlib", "/jaxtyping/", "/torchvision/_", "/torchvision/ops/_")


class OnDevice(Tensor):
    """A tensor of the stand-in device, with a tensor on the CPU that holds its values."""

    values: Tensor

    @staticmethod
    def __new__(cls, values: Tensor) -> OnDevice:
        """Wrap `values`, whose shape, strides and type it takes."""
        made: OnDevice = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            values.size(),
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            device=DEVICE,
        )
        made.values = values
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Raise: the mode runs every operator."""
        raise RuntimeError(f"{func} ran outside StandInDevice")


@dataclass
class Counts:
    """What was asked of the device.

    operators: runs by name
    waits:     synchronizations by name
    copies:    copies from the host to the device
    places:    runs and waits by (name, line of code)
    """

    operators: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    places: Counter[tuple[str, str]] = field(default_factory=Counter)

    def totals(self) -> tuple[int, int, int]:
        """Operators, waits and copies."""
        return self.operators.total(), self.waits.total(), self.copies


class StandInDevice(TorchDispatchMode):
    """Run operators of the device on the CPU, and count them.

    with_places: also count by line of code, which is slow
    """

    def __init__(self, with_places: bool = False) -> None:
        super().__init__()
        self.with_places = with_places
        self.creation = _Creation()
        self.counts = Counts()

    def __enter__(self) -> StandInDevice:
        """Switch on."""
        self.creation.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Switch off."""
        super().__exit__(*error)
        self.creation.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator."""
        kwargs = kwargs or {}
        leaves = tree_flatten((args, kwargs))[0]
        inputs = [x for x in leaves if isinstance(x, OnDevice)]
        targets = [x for x in leaves if isinstance(x, torch.device)]
        on_device = targets[0] == DEVICE if targets else bool(inputs)
        if not inputs and not on_device:
            return func(*args, **kwargs)
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
        from_host = any(isinstance(x, Tensor) and not isinstance(x, OnDevice) for x in args[:1])
        if on_device and from_host and not inputs:
            self.counts.copies += 1
        waits = packet in VALUE_SIZED | SCALARS or not on_device
        if packet in INDEXING:
            masks = [x for x in args[1] if isinstance(x, Tensor) and x.dtype == torch.bool]
            filled = packet != "index" and len(masks) == len(args[1]) == 1 and args[2].numel() == 1
            waits = bool(masks) and not filled  # PyTorch fills a mask with one value in place
        elif packet == "repeat_interleave":
            waits = kwargs.get("output_size") is None
        elif packet == "where":
            waits = len(args) == 1
        computes = packet not in FREE | SCALARS and (func._schema.is_mutable or _is_new(result, inputs))
        self.counts.waits[packet] += waits
        self.counts.operators[packet] += computes
        if self.with_places and (waits or computes):
            self.counts.places[("wait: " if waits else "") + packet, _line()] += 1


class _Creation(TorchFunctionMode):
    """Create tensors from Python's numbers on the host and copy them: on "meta", PyTorch drops the values."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one function of PyTorch."""
        kwargs = dict(kwargs or {})
        made = func in (torch.tensor, torch.as_tensor) and not isinstance(args[0], Tensor)
        if made and torch.device(kwargs.get("device") or HOST) == DEVICE:
            return func(*args, **{**kwargs, "device": HOST}).to(DEVICE)
        if func is Tensor.new_tensor and isinstance(args[0], OnDevice):
            dtype = kwargs.get("dtype") or args[0].dtype
            return torch.tensor(args[1], dtype=dtype).to(DEVICE)
        if func is Tensor.tolist and isinstance(args[0], OnDevice):
            return args[0].to(HOST).tolist()
        if func is Tensor.numpy and isinstance(args[0], OnDevice):
            return args[0].to(HOST).numpy()
        return func(*args, **kwargs)


def _returns_views(func: Any) -> bool:
    """Whether the operator may return views of its inputs, and writes nothing."""
    aliases = [returned.alias_info for returned in func._schema.returns]
    return bool(aliases) and all(alias is not None and not alias.is_write for alias in aliases)


def _is_new(result: Any, inputs: list[OnDevice]) -> bool:
    """Whether the operator made something that is no view of its inputs."""
    storages = {x.values.untyped_storage().data_ptr() for x in inputs}
    made = [x for x in tree_flatten(result)[0] if isinstance(x, Tensor)]
    return not made or any(x.untyped_storage().data_ptr() not in storages for x in made)


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
        if name != __file__ and not any(folder in name for folder in SKIPPED_FOLDERS):
            return "backward" if ".backward()" in (frame.line or "") else f"{Path(name).name}:{frame.lineno}"
    return "?"
