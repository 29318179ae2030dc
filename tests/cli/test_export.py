"""boxmask export."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import boxmask as verbs
from boxmask.certificate import speed
from boxmask.exporting.parity import check
from boxmask.exporting.parity.differences import Differences

Refused = Callable[..., str]
Boxmask = Callable[..., Any]
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return verbs.export(trained, tmp_path_factory.mktemp("exported") / "model.onnx").path


def metadata(path: Path) -> dict[str, str]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return found


def test_a_run_is_exported_and_compared(boxmask: Boxmask, here: Path, trained: Path) -> None:
    completed = boxmask("export", trained, "--out", "deep/model.onnx")
    assert completed.status == 0
    assert "compared with the model on validation photos of the training; largest differences:" in (
        completed.err
    )
    assert re.search(r"7 photos, one at a time +\d+ +0\.\d{4} px", completed.out)
    assert re.search(r"7 photos, 4 at a time", completed.out)
    assert completed.out.splitlines()[-1].startswith("deep/model.onnx  ")
    assert (here / "deep" / "model.onnx").is_file()
    assert boxmask("export", trained, "--out", "deep/model.onnx").status == 0  # replaces its own file


def test_a_certificate(boxmask: Boxmask, here: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "MINUTES_PER_FORM", 0.01)
    completed = boxmask("export", trained, "--out", "model.onnx", "--certificate", "page.html")
    assert completed.status == 0, completed
    assert completed.err.splitlines()[-1] == "certificate: page.html"
    page = (here / "page.html").read_text()
    assert "In 32 bits, the file gives the results of the model but for rounding." in page
    assert re.search(r"Measured on \d+ validation photos of ", page)
    assert str(here.parent) not in page  # it is for others, who do not have these folders
    assert re.search(r'<th scope="row">ONNX Runtime</th><td>[\d.,]+ ms</td>', page)


def test_a_browser_without_a_certificate(refused: Refused, trained: Path) -> None:
    error = refused(2, "export", trained, "--out", "model.onnx", "--browser", "node_modules")
    assert "--browser needs --certificate" in error


def test_photos_of_a_folder(boxmask: Boxmask, trained: Path, demo: Path) -> None:
    completed = boxmask("export", trained, "--out", "model.onnx", "--data", demo)
    assert f"on photos of {demo.name}" in completed.err
    assert "13 photos, one at a time" in completed.out


def test_without_photos_some_are_generated(boxmask: Boxmask, trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "best.safetensors", tmp_path / "alone.safetensors")
    completed = boxmask("export", tmp_path / "alone.safetensors", "--out", "model.onnx")
    assert "on generated photos" in completed.err
    assert completed.status == 0


def test_other_files_are_not_replaced(refused: Refused, here: Path, trained: Path) -> None:
    (here / "mine.onnx").write_text("mine")
    assert "is not replaced, because boxmask did not write it" in refused(
        2, "export", trained, "--out", "mine.onnx"
    )
    assert "model.pt: expected a file name that ends in .onnx" in refused(
        2, "export", trained, "--out", "model.pt"
    )


def test_missing_packages_are_named(refused: Refused, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxmask.exporting.export.find_spec", lambda name: None)
    assert 'pip install "boxmask[export]"' in refused(2, "export", trained, "--out", "model.onnx")


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        (Differences(compared=10, mismatches=2), "the exported file and the model differ in "),
        (Differences(compared=10, mask_iou=0.9), "masks: IoU 0.900"),
    ],
)
def test_a_file_that_differs_is_not_kept(
    refused: Refused,
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    differences: Differences,
    message: str,
) -> None:
    monkeypatch.setattr(check, "compare_batch", lambda *args: differences)
    error = refused(1, "export", trained, "--out", "model.onnx")
    assert message in error
    assert "The file was not written." in error


def test_metadata(exported: Path, trained: Path) -> None:
    found = metadata(exported)
    names = verbs.load(trained).class_names
    assert json.loads(found["names"]) == list(names)
    about = json.loads(found["boxmask"])
    assert list(about) == [
        "format",
        "version",
        "model",
        "task",
        "class_names",
        "config",
        "inputs",
        "training",
        "weights",
        "evaluation",
    ]
    assert (about["format"], about["model"], about["task"]) == (1, "faster-rcnn", "detection")
    assert about["class_names"] == list(names)
    assert about["config"]["shorter_side"] == 64
    assert about["inputs"] == ["photos", "sizes"]
    assert about["training"]["counts"] == {"train": 18, "val": 2, "test": 4}
    assert len(about["training"]["photos"]) == 32
    assert about["training"]["data"]
    assert about["weights"] == [
        {"name": trained.name, "license": "that of the training photos and labels", "from": "training"}
    ]
    assert "AP" in about["evaluation"]["metrics"]


def test_the_example_of_the_docs_runs(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [code] = re.findall(r"```python\n(import json.*?)```", (DOCS / "how-to" / "export.md").read_text(), re.S)
    shutil.copy(exported, tmp_path / "model.onnx")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 70, 3)).astype(np.uint8)).save(
        tmp_path / "photo.jpg"
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "export.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert all(re.match(r"\S.* 0\.\d+ \[", line) for line in lines)


def test_a_file_needs_no_operators_of_its_own(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    inputs = {"photos": np.zeros((1, 5, 7, 3), np.uint8), "sizes": np.array([[5, 7]])}
    boxes, scores, labels, counts = session.run(["boxes", "scores", "labels", "counts"], inputs)
    assert boxes.shape == (counts[0], 4)
    assert scores.shape == labels.shape == (counts[0],)
