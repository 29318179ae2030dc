"""Both wheels hold the same package, of the same version."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import boxmask

ROOT = Path(__file__).parents[1]


def build(project: Path, out: Path) -> zipfile.ZipFile:
    """The wheel of a project, built without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    return zipfile.ZipFile(wheel)


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def sources(wheel: zipfile.ZipFile) -> dict[str, bytes]:
    kept = (name for name in wheel.namelist() if name.startswith("boxmask/") and "LICENSE" not in name)
    return {name: wheel.read(name) for name in kept}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[zipfile.ZipFile, zipfile.ZipFile]:
    pytest.importorskip("hatchling", reason="the wheels are built with hatchling")
    whole = build(ROOT, tmp_path_factory.mktemp("whole"))
    return whole, build(ROOT / "runtime", tmp_path_factory.mktemp("runtime"))


def test_names_and_versions(wheels: tuple[zipfile.ZipFile, zipfile.ZipFile]) -> None:
    whole, runtime = map(metadata, wheels)
    assert (whole["Name"], runtime["Name"]) == ("boxmask", "boxmask-runtime")
    assert whole["Version"] == runtime["Version"] == boxmask.__version__
    assert whole["Requires-Python"] == runtime["Requires-Python"]
    assert whole["License-Expression"] == runtime["License-Expression"] == "Apache-2.0"


def test_the_same_files(wheels: tuple[zipfile.ZipFile, zipfile.ZipFile]) -> None:
    whole, runtime = map(sources, wheels)
    assert len(whole) > 500
    assert runtime == whole
    assert any(name.endswith("LICENSE") for name in wheels[1].namelist())


def test_the_runtime_needs_three_packages(wheels: tuple[zipfile.ZipFile, zipfile.ZipFile]) -> None:
    whole, runtime = (metadata(wheel).get_all("Requires-Dist", []) for wheel in wheels)
    needed = [need for need in runtime if "extra ==" not in need]
    assert [need.partition(">")[0] for need in needed] == ["numpy", "onnxruntime", "pillow"]
    assert {need for need in needed if "onnx" not in need} <= set(whole)
    extra = {need for need in runtime if need.endswith("extra == 'serve'") and "cyclopts" not in need}
    assert extra == {need for need in whole if need.endswith("extra == 'serve'")}
    assert any(need.startswith("torch>") for need in whole)
