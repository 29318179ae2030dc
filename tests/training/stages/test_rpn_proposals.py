"""The RPN's proposals, stored between two steps of alternating training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
