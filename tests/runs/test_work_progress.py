"""progress.json: what it holds, and how often it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from boxmask.runs import work_progress
from boxmask.runs.work_folder import WorkFolder
from boxmask.runs.work_progress import WorkProgress


@dataclass(frozen=True)
class Folder(WorkFolder):
    noun: ClassVar[str] = "test"


def test_values_add_up_and_steps_are_written_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(work_progress.time, "monotonic", lambda: now[0])
    progress, file = WorkProgress(Folder(tmp_path)), tmp_path / "progress.json"
    progress.tell(plan=["two models"])
    progress.tell_soon(share=0.1)
    assert json.loads(file.read_text()) == {"plan": ["two models"]}
    now[0] += 1.5
    progress.tell_soon(share=0.2)
    assert json.loads(file.read_text()) == {"plan": ["two models"], "share": 0.2}
    progress.finish()
    assert not file.exists()
    progress.finish()
