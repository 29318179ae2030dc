"""Import the package supervision without its advice to install OpenCV, which boxmask does not need."""

from __future__ import annotations

import warnings
from importlib import import_module
from types import ModuleType


def import_supervision() -> ModuleType:
    """The package supervision. Its other warnings are shown."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="OpenCV .*is not installed", category=UserWarning)
        return import_module("supervision")
