"""The memory that control groups leave, read from folders laid out as Linux does."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.training.fitting.control_groups import memory_left_in_groups
from boxmask.training.fitting.memory import memory_limit


def make_group(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text + "\n")


def test_version_2_with_a_limit_in_an_outer_group(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    groups.write_text("0::/batch/job\n")
    stat = "anon 5\ninactive_file 30"
    make_group(tmp_path / "batch" / "job", {"memory.max": "max", "memory.current": "10", "memory.stat": stat})
    make_group(tmp_path / "batch", {"memory.max": "1000", "memory.current": "400", "memory.stat": stat})
    make_group(tmp_path, {"memory.max": "900", "memory.current": "950", "memory.stat": ""})
    assert memory_left_in_groups(tmp_path, groups) == [630, 0]


def test_version_1(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    groups.write_text("9:cpu:/elsewhere\n4:memory:/docker/abc\n")
    inside = {"memory.limit_in_bytes": "500", "memory.usage_in_bytes": "100", "memory.stat": ""}
    make_group(tmp_path / "memory", inside)  # a container sees its own group as the root
    assert memory_left_in_groups(tmp_path, groups) == [400]


@pytest.mark.parametrize("text", ["", "0::/", "nonsense", "0::/../../etc", "\0"])
def test_without_a_limit_nothing_is_known(tmp_path: Path, text: str) -> None:
    groups = tmp_path / "groups"
    groups.write_text(text)
    assert memory_left_in_groups(tmp_path, groups) == []
    assert memory_left_in_groups(tmp_path, tmp_path / "missing") == []


def test_a_group_lowers_the_limit_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    device = torch.device("cpu")
    before = memory_limit(device)
    monkeypatch.setattr("boxmask.training.fitting.memory.memory_left_in_groups", lambda: [1000])
    assert memory_limit(device) < before
