"""Tensors of the stand-in device, and how they are made from Python's numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

DEVICE = torch.device("meta")
HOST = torch.device("cpu")


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


class Creation(TorchFunctionMode):
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
