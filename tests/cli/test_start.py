"""What a command loads before it works. Loading takes seconds, so each command loads what it uses."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.cli.progress import photo_progress
from boxmask.kernels import compile_time
from boxmask.models.table import make_config, model_entry
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint

HEAVY = (
    "accelerate",
    "boxmask.data.formats.table",
    "cv2",
    "fontTools",
    "jinja2",
    "matplotlib",
    "numba",
    "onnx",
    "onnxruntime",
    "pandas",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.spatial",
    "scipy.special",
    "shapely",
    "sklearn",
    "supervision",
    "sympy",
    "timm",
    "torch",
    "torch._dynamo",
    "torchvision",
)
REPORT = f"""
import sys
from boxmask.cli import main
sys.argv[0] = "boxmask"
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *[name for name in {HEAVY} if name in sys.modules])
"""
DETECTOR = {"numba", "timm", "torch", "torchvision"}


def loaded_by(*arguments: str | Path) -> set[str]:
    """The heavy modules that a command has loaded at its end."""
    command = [sys.executable, "-c", REPORT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of noise."""
    file = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)).save(file)
    return file


def checkpoint(folder: Path, model: str) -> Path:
    """An untrained model of one class."""
    config = make_config(model, "default", class_names=("cat",))
    network = model_entry(model).build(config, None)
    file = folder / f"{model}.safetensors"
    save_checkpoint(file, network.state_dict(), CheckpointMetadata(model, asdict(config)))
    return file


@pytest.mark.parametrize("arguments", [("--help",), ("predict", "--help"), ("--version",)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) == set()


def test_predict_loads_neither_compiler_nor_label_readers(tmp_path: Path, photo: Path) -> None:
    run = checkpoint(tmp_path, "faster-rcnn")
    assert loaded_by("predict", run, photo, "--out", tmp_path / "out") == DETECTOR


def test_masks_are_drawn_with_the_filters_of_scipy_alone(tmp_path: Path, photo: Path) -> None:
    run = checkpoint(tmp_path, "mask-rcnn")
    extra = loaded_by("predict", run, photo, "--out", tmp_path / "out", "--min-score", "0") - DETECTOR
    assert extra <= {"scipy.ndimage", "scipy.special"}


def test_selective_search_needs_no_network(tmp_path: Path, photo: Path) -> None:
    assert "timm" not in loaded_by("proposals", photo, "--out", tmp_path / "out")


def test_compiling_is_announced_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with photo_progress("predicting"):
        for _ in range(2):
            compile_time._timer.on_start(None)
            compile_time._timer.on_end(None)
    assert capsys.readouterr().err.splitlines() == [compile_time.COMPILING]


def test_files_that_import_torchvision_do_it_without_the_compiler() -> None:
    import boxmask

    root = Path(boxmask.__file__).parent
    for file in root.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {
            name.split(".")[0]
            for node in tree.body
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        if names & {"torchvision", "timm"}:
            package = (file.parent / "__init__.py").read_text(encoding="utf-8")
            assert "torchvision_import" in package, f"{file}: import it from boxmask.torchvision_import"
