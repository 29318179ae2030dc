"""Run an exported file with ONNX Runtime, for the comparison with its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from jaxtyping import UInt8
from numpy.typing import NDArray

Photo = UInt8[np.ndarray, "H W 3"]


class Session:
    """A file, ready to run on a CPU."""

    def __init__(self, path: Path) -> None:
        self.path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.needs_proposals = "proposals" in [entry.name for entry in self.session.get_inputs()]
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, photos: Sequence[Photo], proposals: Sequence[NDArray[np.float32]] = ()) -> dict[str, Any]:
        """The outputs by name, for one batch of photos and, if the file needs them, their proposals."""
        feeds = pack(photos, proposals if self.needs_proposals else None)
        return dict(zip(self.outputs, self.session.run(None, feeds), strict=True))


def pack(
    photos: Sequence[Photo], proposals: Sequence[NDArray[np.float32]] | None = None
) -> dict[str, NDArray[Any]]:
    """Photos of any sizes as the inputs of one batch, with the proposals of each if the file needs them."""
    sizes = np.array([photo.shape[:2] for photo in photos], dtype=np.int64)
    batch = np.zeros((len(photos), *sizes.max(axis=0), 3), dtype=np.uint8)
    for slot, photo in zip(batch, photos, strict=True):
        slot[: photo.shape[0], : photo.shape[1]] = photo
    feeds: dict[str, NDArray[Any]] = {"photos": batch, "sizes": sizes}
    if proposals is not None:
        feeds["proposals"] = np.concatenate(proposals).reshape(-1, 4).astype(np.float32)
        feeds["proposal_counts"] = np.array([len(boxes) for boxes in proposals], dtype=np.int64)
    return feeds
