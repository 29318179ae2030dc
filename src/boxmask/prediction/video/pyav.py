"""Import PyAV, which reads and writes videos."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from boxmask.errors import UsageError


def import_av() -> ModuleType:
    """The package av. Raises UsageError, with the remedy, where it is not installed."""
    try:
        return import_module("av")
    except ImportError as error:
        raise UsageError(
            f"videos need the package av, which cannot be imported ({error}). Install it with: pip install "
            '"boxmask[video]"'
        ) from error
