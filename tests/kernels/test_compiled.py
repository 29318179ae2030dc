from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import boxmask.kernels

CALL_NMS = """
import torch
from boxmask.kernels import nms, nms_loops
loop = nms_loops.kept_boxes
assert not loop.signatures, "compiled at import"
nms(torch.rand(5, 4), torch.rand(5), 0.5)
print(sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values()))
"""

LOOPS = """
from typing import NamedTuple
from boxmask.kernels.compiled import compiled
class Pair(NamedTuple):
    a: int
    b: int
@compiled
def add(pair):
    return pair.a + pair.b
if __name__ == "__main__":
    import loops
    print(loops.add(loops.Pair(1, 2)))
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_compiles_at_the_first_call_and_not_again_in_the_next_process(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    assert run("-c", CALL_NMS, **environment).stdout.split() == ["0", "1"]
    assert run("-c", CALL_NMS, **environment).stdout.split() == ["1", "0"]


@pytest.mark.slow
def test_a_renamed_class_does_not_break_the_cache(tmp_path: Path) -> None:
    """numba would fail to unpickle its index, which contains the old class."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    script = tmp_path / "loops.py"
    script.write_text(LOOPS)
    assert run(str(script), **environment).stdout.split() == ["3"]
    assert list((tmp_path / "cache").rglob("*.nbi"))
    script.write_text(LOOPS.replace("Pair", "Two"))
    assert run(str(script), **environment).stdout.split() == ["3"]


@pytest.mark.slow
def test_without_a_writable_folder_it_warns_and_works(tmp_path: Path) -> None:
    source = Path(boxmask.kernels.__file__).parents[1]
    shutil.copytree(source, tmp_path / "boxmask", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "boxmask/kernels/__pycache__").touch()  # a file in place of the folder
    (tmp_path / "home").touch()
    home = str(tmp_path / "home")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": home, "XDG_CACHE_HOME": home}
    environment.pop("NUMBA_CACHE_DIR", None)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = run("-c", CALL_NMS, **environment)
    assert done.stdout.split() == ["0", "1"]  # compiled, not read from a disk
    assert "Set NUMBA_CACHE_DIR to a writable folder" in done.stderr
