"""The RPN's proposals, stored between two steps of alternating training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.errors import PhotoError, TrainingError
from boxmask.runs.recipe import Recipe
from boxmask.training.signals import StopRequest
from boxmask.training.stages import rpn_proposals
from boxmask.training.stages.rpn_proposals import ProposeWithRPN, StoredProposals
from boxmask.training.train import resume, train


def test_stored_proposals_are_found_after_the_photos_have_moved(
    staged: Callable[[str], Any],
    demo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    equal_files: Callable[..., bool],
    stage_report: Callable[[str], Any],
) -> None:
    """The data set is given by a relative path at first, and then moved."""
    training = staged("faster-rcnn")
    shutil.copytree(demo, tmp_path / "old")
    monkeypatch.chdir(tmp_path)
    run, _ = train(Path("old"), training.recipe, tmp_path / "run", stage_report("step 2: Fast R-CNN"))
    assert not resume(run, report=stage_report("step 3: RPN, shared layers fixed"))
    (tmp_path / "old").rename(tmp_path / "new")
    assert not resume(run, tmp_path / "new", stage_report("step 4: Fast R-CNN, shared layers fixed"))
    assert resume(run, tmp_path / "new")
    assert equal_files(run.last_checkpoint, training.run.last_checkpoint)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"no array at all"])
def test_damaged_proposals_are_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    stored = StoredProposals(tmp_path / "proposals", tmp_path)
    file = stored.file(tmp_path / "photo.jpg")
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(TrainingError, match=rf"{file.name}.* damaged\. Train again"):
        stored(tmp_path / "photo.jpg")


# ---------------------------------------------------------------- time


class Photos(tuple[float, ...]):
    """The seconds that each photo takes; a negative one cannot be read."""

    def path(self, photo: int) -> float:
        return self[photo]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [((9.0, 1.0, 2.0, 3.0), 8.0), ((9.0, 1.0, -0.1, 3.0), 4.0), ((-0.1, -0.1, -0.1, 3.0), 0.0)],
)
def test_the_last_photo_that_can_be_read_gives_the_speed(
    monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...], expected: float
) -> None:
    now = [0.0]

    def read(path: float) -> None:
        now[0] += abs(path)
        if path < 0:
            raise PhotoError("photo.jpg: damaged")

    monkeypatch.setattr(rpn_proposals, "to_image", read)
    monkeypatch.setattr(rpn_proposals, "work_time", lambda: now[0])
    detector = SimpleNamespace(propose=lambda image: None)
    detector.eval = lambda: detector
    session: Any = SimpleNamespace(
        recipe=Recipe(max_minutes=9),
        train=Photos(seconds),
        stop=StopRequest(),
        state=SimpleNamespace(network=detector),
    )
    assert ProposeWithRPN(1).seconds_needed(session) == pytest.approx(expected)
