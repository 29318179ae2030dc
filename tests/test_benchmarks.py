"""The benchmark scripts load, explain themselves, and name functions that exist."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from boxmask.models.table import make_config, model_entry

FOLDER = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "side_by_side")


def load(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", SCRIPTS)
def test_help(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "selective_search":
        pytest.importorskip("cv2").ximgproc  # noqa: B018
    script = load(monkeypatch, name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 0
    assert f"usage: {name}" in capsys.readouterr().out


def test_the_lineage_times_functions_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    lineage = load(monkeypatch, "lineage")
    for method in lineage.METHODS.values():
        name = method.flags[1]
        config = make_config(name, "default", class_names=("a", "b"))
        watch = lineage.watch_methods(model_entry(name).build(config, None), method.parts)
        assert not watch.seconds
