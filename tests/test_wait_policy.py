"""OpenMP reads its variables when torch loads, so each test starts a new process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from boxmask.wait_policy import SETTING

SHOW = f"import os; print([os.environ.get(name) for name in {list(SETTING)!r}])"
SET, UNSET = str(list(SETTING.values())), str([None] * len(SETTING))
RECORD_AT_IMPORT_OF_TORCH = f"""
import importlib.abc, os, sys

class Recorder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("torch", [os.environ.get(name) for name in {list(SETTING)!r}])

sys.meta_path.insert(0, Recorder())
"""


def run(code: str, **environment: str) -> list[str]:
    """The lines that a new process prints, without the variables unless they are given."""
    inherited = {name: value for name, value in os.environ.items() if name not in SETTING}
    completed = subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return completed.stdout.splitlines()


def test_importing_boxmask_lets_threads_sleep() -> None:
    assert run(f"import boxmask; {SHOW}") == [SET]


@pytest.mark.parametrize("value", ["ACTIVE", "passive", ""])
@pytest.mark.parametrize("name", SETTING)
def test_a_value_of_the_user_is_kept_and_nothing_is_added(name: str, value: str) -> None:
    expected = [value if variable == name else None for variable in SETTING]
    assert run(f"import boxmask; {SHOW}", **{name: value}) == [str(expected)]


def test_nothing_is_set_once_torch_is_loaded() -> None:
    assert run(f"import torch, boxmask; {SHOW}") == [UNSET]


def test_the_result_tells_whether_the_setting_takes_effect() -> None:
    code = "from boxmask.wait_policy import SETTING, set_wait_policy; import os\n"
    code += "for name in SETTING: del os.environ[name]\n"
    code += "print(set_wait_policy()); print(set_wait_policy())"
    assert run(code) == ["True", "False"]


@pytest.mark.parametrize("code", ["import boxmask.cli; import torch", "import boxmask; boxmask.kernels.nms"])
def test_the_setting_is_there_before_torch_loads(code: str) -> None:
    assert run(f"{RECORD_AT_IMPORT_OF_TORCH}\n{code}\n{SHOW}") == [f"torch {SET}", SET]
