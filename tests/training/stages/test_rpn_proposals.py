"""The RPN's proposals, stored between two steps of alternating training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.errors import TrainingError
from boxmask.training.stages.rpn_proposals import StoredProposals
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
