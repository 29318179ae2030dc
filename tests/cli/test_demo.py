from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxmask.cli.demo import demo
from boxmask.cli.train import INTERRUPTED
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.runs.run import Run

SECONDS = 8 / 60  # of training, in minutes


@pytest.mark.slow
def test_the_demo_tells_the_whole_story_and_can_be_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    assert demo(out=out, minutes=SECONDS, photos=24) == 0
    printed = capsys.readouterr()
    for file in ("run/found.jpg", "run/stages.jpg", "run/pictures", "run/mask-rcnn/curve.png", "data"):
        assert str(out / file) in printed.out
        assert (out / file).exists()
    for metric in ("AP50", "mask AP50"):
        assert metric in printed.out
    assert len(list((out / "run" / "pictures").glob("*.jpg"))) == 4
    assert isinstance(Run(out / "run" / "detector").model(), FasterRCNN)
    assert isinstance(Run(out / "run" / "mask-rcnn").model(), MaskRCNN)
    recipe = Run(out / "run" / "mask-rcnn").recipe
    assert (recipe.detector, recipe.classifier) == (out / "run" / "detector", out / "run" / "classifier")
    assert recipe.flip == 0.0
    rows = [line.split() for line in printed.err.splitlines()]
    assert ["pyramid", str(recipe.detector)] in rows
    assert any(row[:2] == ["backbone", str(recipe.classifier)] for row in rows)
    assert ["mask", "head", "new", "not", "in", str(recipe.detector)] in rows
    before = (out / "data" / "demo.json").stat().st_mtime_ns
    assert Image.open(out / "run" / "found.jpg").width > 1000

    def interrupt(*arguments: object) -> tuple[Run, bool]:
        return Run(out / "run-2" / "detector"), False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("boxmask.training.train.train", interrupt)
        assert demo(out=out, minutes=SECONDS, photos=24) == INTERRUPTED
    assert f"boxmask train --resume --out {out / 'run-2' / 'detector'}" in capsys.readouterr().err
    assert (out / "data" / "demo.json").stat().st_mtime_ns == before  # the photos are not generated again
