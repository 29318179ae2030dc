"""The cache is torch hub's, also before torch is imported."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from boxmask.weights.download.remote_file import checkpoints_folder

PRINT_BOTH = """
import sys
from boxmask.weights.download.remote_file import checkpoints_folder
before = checkpoints_folder()
assert "torch" not in sys.modules
import torch
assert before == checkpoints_folder() and str(before) == torch.hub.get_dir() + "/checkpoints", before
"""


@pytest.mark.parametrize("variables", [{}, {"TORCH_HOME": "~/t"}, {"XDG_CACHE_HOME": "/x"}])
def test_the_folder_without_torch(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    subprocess.run([sys.executable, "-c", PRINT_BOTH], check=True)


def test_a_folder_that_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    assert checkpoints_folder() == tmp_path / "checkpoints"
