"""Load an exported model."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from boxmask.runtime.metadata import read_metadata
from boxmask.runtime.models import ExportedClassifier, ExportedDetector, ExportedSegmenter
from boxmask.runtime.onnx_file import read_onnx_file
from boxmask.runtime.session import Session

AnyExportedModel: TypeAlias = ExportedDetector | ExportedSegmenter | ExportedClassifier

SUFFIX = ".onnx"


def is_onnx_name(path: Path) -> bool:
    """Whether a path ends as an ONNX file does."""
    return path.suffix.lower() == SUFFIX


def load_onnx(path: Path, device: str = "auto", threads: int | None = None) -> AnyExportedModel:
    """Load the model of an ONNX file that boxmask wrote, ready to `predict`.

    device:  "auto", "cpu", "cuda" or "cuda:1"; a GPU needs the package onnxruntime-gpu
    threads: of one prediction; by default one per core that the process may use

    Raises CheckpointError, naming the file, if it is missing, damaged, not from boxmask, or from a newer
    version; UsageError for a device that this machine does not have, or without the package onnxruntime.
    """
    file = read_onnx_file(path)
    metadata = read_metadata(path, file.properties)
    session = Session(file, metadata.task, device, threads)
    match metadata.task:
        case "detection":
            return ExportedDetector(metadata, session)
        case "segmentation":
            return ExportedSegmenter(metadata, session)
        case "classification":
            return ExportedClassifier(metadata, session)
