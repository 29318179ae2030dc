"""The benchmark scripts load, explain themselves, and name functions that exist."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from boxmask.models.table import make_config, model_entry

FOLDER = Path(__file__).parents[1] / "benchmarks"
MODULES = (  # no scripts
    "many_labels",
    "side_by_side",
    "stand_in_device",
    "stand_in_tensor",
    "torchvision_pairs",
)
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in MODULES)


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


def test_gpu_benchmarks_report_a_failed_section(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = load(monkeypatch, "gpu")

    def fail(section: str, settings: object) -> object:
        raise RuntimeError(section)

    monkeypatch.setattr(gpu, "section_rows", fail)
    monkeypatch.setattr(sys, "argv", ["gpu", "--quick", "--device", "cpu", "--only", "kernels"])
    assert gpu.main() == 1
    monkeypatch.setattr(gpu, "section_rows", lambda section, settings: [])
    assert gpu.main() == 0


def test_a_method_fails_after_an_error_or_if_its_losses_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    methods = load(monkeypatch, "gpu_methods")
    assert not methods.Result("fcn", difference=methods.LIMIT).failed()
    assert methods.Result("fcn", difference=0.0, error="out of memory").failed()
    assert methods.Result("fcn", difference=2 * methods.LIMIT).failed()
    assert methods.Result("fcn", difference=float("nan")).failed()


def test_ablations_train_what_is_missing_for_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ablations, calls = load(monkeypatch, "ablations"), []

    def boxmask(*words: object) -> None:
        """Write what the program would; a step takes twice as long with --size 480."""
        calls.append(verb := words[0])
        if verb == "evaluate":
            ap = 0.5 + 0.1 * ("480-px" in str(words[1])) + 0.02 * str(words[1]).endswith("1")
            found = {"AP": ap, "per_class": {"cell": {"AP": ap}}, "mask_AP": None}
            Path(str(words[-1])).write_text(json.dumps(found))
            return
        run, minutes = Path(str(words[-1])), 2.0 if "480" in words else 1.0
        run.mkdir()
        rows = [{"step": step, "minutes": step * minutes, "images_per_second": 1.0} for step in (1, 10)]
        rows.append({"step": 10, "minutes": 0.0, "val": {"AP": 0.4}})
        (run / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
        (run / "last.safetensors").touch()

    variants = tmp_path / "variants.toml"
    variants.write_text('[variants]\n"320 px" = "--size 320"\n"480 px" = "--size 480"\n')
    options = f"--data cells --out {tmp_path / 'out'} --passes 30 --seeds 2"
    monkeypatch.setattr(ablations, "boxmask", boxmask)
    monkeypatch.setattr(sys, "argv", ["ablations", str(variants), *options.split()])
    ablations.main()
    printed = capsys.readouterr().out
    assert "cells, 480 px: a pass costs 2.00 of the baseline's" in printed
    row = "| 480 px | --epochs 15 | 2 | 0.610 ± 0.014 | 0.610 | +0.100 ± 0.014 | 0.400 |"
    assert row in printed.splitlines()
    trained = len(calls)
    ablations.main()
    assert len(calls) == trained
    variants.write_text('[variants]\n"320 px" = "--size 320"\n"480 px" = "--size 512"\n')
    with pytest.raises(SystemExit, match="was trained with other flags"):
        ablations.main()
