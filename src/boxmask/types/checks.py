"""Validation and comparison of the types' fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from boxmask.errors import UsageError
from boxmask.names import class_name


def mismatch(name: str, expected: str, found: object) -> ValueError:
    """The error to raise for a field that is not as expected."""
    return ValueError(f"{name}: expected {expected}, found {found}")


def to_array(values: Any) -> np.ndarray[Any, Any]:
    """An array, a tensor on any device or a list -> an array, which shares memory where possible."""
    on_cpu = values.detach().cpu() if hasattr(values, "detach") else values
    return np.asarray(on_cpu)


def check_array(name: str, array: Any, dtype: Any, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless an array or tensor has this dtype and shape; None matches any size."""
    fits = array.ndim == len(shape) and all(
        size is None or size == actual for size, actual in zip(shape, array.shape, strict=False)
    )
    if not fits or array.dtype != dtype:
        expected = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
        raise mismatch(name, f"{dtype} {expected}", f"{array.dtype} {tuple(array.shape)}")


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
    if hasattr(a, "dtype") and hasattr(b, "dtype"):
        return a.dtype == b.dtype and np.array_equal(to_array(a), to_array(b))
    return bool(a == b)
