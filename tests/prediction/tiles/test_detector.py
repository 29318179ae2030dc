"""Large photos in tiles: every object is found once, whole, in little memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.prediction.painted import Box, PaintDetector, painted

from boxmask.errors import UsageError
from boxmask.prediction.tiles.detector import TiledDetector

SIZE = (150, 230)


@st.composite
def rectangles(draw: st.DrawFn) -> list[Box]:
    """Rectangles of all sizes that do not overlap, largest score first."""
    boxes: list[Box] = []
    for _ in range(draw(st.integers(0, 12))):
        width, height = draw(st.integers(3, 160)), draw(st.integers(3, 120))
        x, y = draw(st.integers(0, SIZE[1] - width)), draw(st.integers(0, SIZE[0] - height))
        apart = all(x + width < x1 or x2 < x or y + height < y1 or y2 < y for x1, y1, x2, y2 in boxes)
        if apart:
            boxes.append((x, y, x + width, y + height))
    return boxes


@pytest.mark.parametrize("max_side", [64, 10_000], ids=["pieces-only", "whole-photo-as-well"])
@settings(max_examples=60, deadline=None)
@given(boxes=rectangles())
def test_an_exact_detector_finds_the_same_in_tiles_as_at_once(max_side: int, boxes: list[Box]) -> None:
    photo = painted(SIZE, boxes)
    tiled = TiledDetector(PaintDetector(max_side), 64)
    assert tiled.predict(photo) == PaintDetector().predict(photo)


def test_a_photo_that_fits_into_a_tile_is_seen_once() -> None:
    detector = PaintDetector()
    photo = painted((60, 64), [(3, 4, 30, 40)])
    assert len(TiledDetector(detector, 64).predict(photo)) == 1
    assert detector.sizes == [(60, 64)]


def test_a_long_photo_has_tiles_along_its_longer_side_only() -> None:
    detector = PaintDetector()
    TiledDetector(detector, 64, 0.5).predict(painted((40, 160), []))
    assert detector.sizes == [(40, 160), (40, 64), (40, 64), (40, 64), (40, 64)]


def test_small_objects_of_the_whole_photo_are_left_to_the_tiles() -> None:
    class Coarse(PaintDetector):
        """Sees small objects of large photos in a wrong place."""

        def _detect(self, red: np.ndarray) -> object:
            found = super()._detect(red)
            if max(red.shape) > 64:
                found.boxes[:, [0, 2]] += 9
            return found

    boxes: list[Box] = [(70, 20, 82, 30), (90, 60, 220, 140)]
    found = TiledDetector(Coarse(masks=False), 64).predict(painted(SIZE, boxes))
    assert found.boxes.round().astype(int).tolist()[0] == list(boxes[0])
    assert len(found) == 2


def test_lists_of_photos_and_detectors_without_masks() -> None:
    photo = painted(SIZE, [(60, 10, 70, 90)])
    first, second = TiledDetector(PaintDetector(masks=False), 64).predict([photo, photo])
    assert first == second
    assert first.masks is None
    assert first.boxes.tolist() == [[60, 10, 70, 90]]


@pytest.mark.parametrize(
    ("tile", "overlap", "message"),
    [
        (16, 0.25, '--tiles: expected "auto" or a side of at least 32 pixels, found 16'),
        (64, 1.0, "expected a fraction of the tile, 0 to 0.9, found 1"),
        (64, float("nan"), "found nan"),
    ],
)
def test_tiles_out_of_range_are_refused(tile: int, overlap: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TiledDetector(PaintDetector(), tile, overlap)


LARGE = """
import resource, sys
import numpy as np, torch
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.prediction.tiles.detector import TiledDetector

torch.set_num_threads(1)
small = dict(backbone="test_resnet", shorter_side=64, longer_side=64, channels=16, rpn_channels=16, hidden=16)
detector = TiledDetector(FasterRCNN(FasterRCNNConfig(("cat",), **small)).eval(), 2000)
photo = np.zeros((10_000, 10_000, 3), dtype=np.uint8)
photo[::97, ::89] = 255
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
detector.predict(photo)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in kilobytes on Linux")
def test_a_photo_of_100_megapixels_needs_hardly_more_memory_than_its_pixels() -> None:
    completed = subprocess.run(
        [sys.executable, "-c", LARGE], capture_output=True, text=True, check=True, timeout=300
    )
    assert int(completed.stdout) * 1024 < 400e6  # the photo has 300 MB, which were there before
