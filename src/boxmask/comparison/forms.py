"""The exported files of a model."""

from __future__ import annotations

from pathlib import Path

ONNX_FILES = {"onnx": "model.onnx", "int8": "model-int8.onnx"}


def onnx_file(folder: Path, form: str) -> Path:
    """The exported file of a form."""
    return folder / ONNX_FILES[form]
