"""The way of one photo through `boxmask.load(run).predict(photo)` stays short enough to read in one sitting.

Kernels are not counted: each replaces one operator of PyTorch or torchvision.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
import torch
from PIL import Image

import boxmask
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.types import Detections
from boxmask.weights.checkpoint import BEST, CheckpointMetadata, save_checkpoint

MAX_FILES, MAX_FUNCTIONS = 12, 40
ROOT = Path(boxmask.__file__).parent
ANONYMOUS = {"<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The default Faster R-CNN with small random weights, as a run's folder."""
    torch.manual_seed(0)
    config = FasterRCNNConfig(("cat", "dog"))
    metadata = CheckpointMetadata("faster-rcnn", asdict(config))
    save_checkpoint(tmp_path / BEST, FasterRCNN(config).state_dict(), metadata)
    return tmp_path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((320, 240), Image.Resampling.BILINEAR).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


class EnteredFunctions(set[tuple[str, str]]):
    """The functions of boxmask that are entered, as (file, qualified name)."""

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        file = Path(code.co_filename)
        if event != "call" or code.co_name in ANONYMOUS or not file.is_relative_to(ROOT):
            return
        inside = file.relative_to(ROOT)
        if inside.parts[0] != "kernels":
            self.add((inside.as_posix(), code.co_qualname))


def test_one_photo_enters_few_files_and_functions(run: Path, photo: Path) -> None:
    detector = boxmask.load(run)
    detector.predict(photo)  # kernels compile at the first call
    entered, previous = EnteredFunctions(), sys.getprofile()
    sys.setprofile(entered)
    try:
        detections = detector.predict(photo)
    finally:
        sys.setprofile(previous)
    assert isinstance(detections, Detections)
    assert len(detections) > 0
    files = {file for file, _ in entered}
    listing = "\n".join(f"{file}  {function}" for file, function in sorted(entered))
    assert len(files) <= MAX_FILES, f"{len(files)} files:\n{listing}"
    assert len(entered) <= MAX_FUNCTIONS, f"{len(entered)} functions:\n{listing}"
