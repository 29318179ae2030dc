from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import boxmask.kernels

CHECK = """
import torch
from boxmask.kernels import nms, suppression_loops
loop = suppression_loops.survivors
assert not loop.signatures, "compiled at import"
nms(torch.rand(5, 4), torch.rand(5), 0.5)
print(sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values()))
"""


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHECK]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_compiles_at_the_first_call_and_not_again_in_the_next_process(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    assert run(**environment).stdout.split() == ["0", "1"]
    assert run(**environment).stdout.split() == ["1", "0"]


@pytest.mark.slow
def test_where_nothing_can_be_written_it_warns_and_works(tmp_path: Path) -> None:
    source = Path(boxmask.kernels.__file__).parents[1]
    shutil.copytree(source, tmp_path / "boxmask", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "boxmask/kernels/__pycache__").touch()  # a file where the folder should be
    (tmp_path / "home").touch()
    home = str(tmp_path / "home")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": home, "XDG_CACHE_HOME": home}
    environment.pop("NUMBA_CACHE_DIR", None)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = run(**environment)
    assert done.stdout.split() == ["0", "1"]  # compiled, not read from a disk
    assert "Set NUMBA_CACHE_DIR to a writable folder" in done.stderr
