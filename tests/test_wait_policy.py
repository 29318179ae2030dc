"""OMP_WAIT_POLICY is read when torch loads, so each test starts a new process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

VARIABLE = "OMP_WAIT_POLICY"
SHOW = f"import os; print(os.environ.get({VARIABLE!r}))"
RECORD_AT_IMPORT_OF_TORCH = f"""
import importlib.abc, os, sys

class Recorder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("torch", os.environ.get({VARIABLE!r}))

sys.meta_path.insert(0, Recorder())
"""


def run(code: str, **environment: str) -> list[str]:
    """The lines that a new process prints, without the variable unless it is given."""
    inherited = {name: value for name, value in os.environ.items() if name != VARIABLE}
    completed = subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return completed.stdout.splitlines()


def test_importing_boxmask_sets_the_passive_policy() -> None:
    assert run(f"import boxmask; {SHOW}") == ["PASSIVE"]


@pytest.mark.parametrize("value", ["ACTIVE", "passive", ""])
def test_a_value_of_the_user_is_kept(value: str) -> None:
    assert run(f"import boxmask; {SHOW}", **{VARIABLE: value}) == [value]


def test_nothing_is_set_once_torch_is_loaded() -> None:
    assert run(f"import torch, boxmask; {SHOW}") == ["None"]


def test_the_result_tells_whether_the_policy_took_effect() -> None:
    code = "from boxmask.wait_policy import set_wait_policy, VARIABLE; import os; del os.environ[VARIABLE]\n"
    code += "print(set_wait_policy()); print(set_wait_policy())"
    assert run(code) == ["True", "False"]


@pytest.mark.parametrize("code", ["import boxmask.cli; import torch", "import boxmask; boxmask.Detections"])
def test_the_policy_is_set_before_torch_loads(code: str) -> None:
    assert run(f"{RECORD_AT_IMPORT_OF_TORCH}\n{code}\n{SHOW}") == ["torch PASSIVE", "PASSIVE"]
