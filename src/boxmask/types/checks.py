"""Validation and comparison of the types' fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.names import class_name


def mismatch(name: str, expected: str, found: object) -> ValueError:
    """The error to raise for a field that is not as expected."""
    return ValueError(f"{name}: expected {expected}, found {found}")


def check_tensor(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless a tensor has this dtype and shape; None matches any size."""
    fits = tensor.ndim == len(shape) and all(
        size is None or size == actual for size, actual in zip(shape, tensor.shape, strict=False)
    )
    if not fits or tensor.dtype != dtype:
        expected = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
        raise mismatch(name, f"{dtype} {expected}", f"{tensor.dtype} {tuple(tensor.shape)}")


def check_min_score(min_score: float, name: str = "min_score") -> None:
    """Raise UsageError unless a minimum score is 0 to 1. NaN is not."""
    if not 0 <= min_score <= 1:
        raise UsageError(f"{name}: expected 0 to 1, found {min_score:g}")


def class_indices(names: str | Sequence[str], class_names: Sequence[str]) -> list[int]:
    """The index of each class name. Raises UsageError, with the known names, for an unknown one.

    Unicode forms and outer spaces make no difference (see `boxmask.names`).
    """
    wanted = [names] if isinstance(names, str) else names
    known = [class_name(name) for name in class_names]
    for name in wanted:
        if class_name(name) not in known:
            raise UsageError(f"there is no class {name!r}; the classes are: {', '.join(class_names)}")
    return [known.index(class_name(name)) for name in wanted]


def equal_fields(a: Any, b: Any) -> bool:
    """Whether two dataclasses of one type have equal fields, of those that take part in comparison."""
    if type(a) is not type(b):
        return False
    names = [item.name for item in fields(a) if item.compare]
    return all(_equal(getattr(a, name), getattr(b, name)) for name in names)


def _equal(a: object, b: object) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.dtype == b.dtype and torch.equal(a.cpu(), b.cpu())
    return bool(a == b)
