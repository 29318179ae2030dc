from __future__ import annotations

import json
from pathlib import Path

import pytest

from boxmask.cli.demo import demo

SECONDS = 3 / 60  # of training, in minutes


@pytest.mark.slow
def test_the_demo_makes_what_it_names_and_can_be_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    assert demo(out=out, minutes=SECONDS, photos=24) == 0
    said = capsys.readouterr().out
    for made in ("run/found.jpg", "run/pictures", "run/curve.png", "data"):
        assert str(out / made) in said
        assert (out / made).exists()
    assert len(list((out / "run" / "pictures").glob("*.jpg"))) == 4
    assert json.loads((out / "run" / "recipe.json").read_text())["recipe"]["flip"] == 0.0
    before = (out / "data" / "demo.json").stat().st_mtime_ns
    assert demo(out=out, minutes=SECONDS, photos=24) == 0
    assert (out / "run-2" / "best.safetensors").is_file()
    assert (out / "data" / "demo.json").stat().st_mtime_ns == before  # the photos are not made again
