from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.visualization.stages import draw_stages
from boxmask.weights.checkpoint import load_model


def test_every_stage_has_its_picture(runs: Callable[[str], Path], demo: Path) -> None:
    model = load_model(runs("mask-rcnn"))
    assert isinstance(model, MaskRCNN)
    picture = draw_stages(model, demo / "images" / "test-00023.jpg")
    assert picture.shape[1] == 1600
    rows = [picture[: picture.shape[0] // 2], picture[picture.shape[0] // 2 :]]
    for row in rows:
        for left in range(0, 1600, 400):
            cell = row[30:, left + 10 : left + 390]
            assert cell.std() > 3  # a picture, not a blank cell
