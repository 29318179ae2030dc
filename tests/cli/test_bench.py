"""boxmask bench."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import boxmask as verbs
from boxmask.exporting.metadata import add_metadata
from boxmask.exporting.table import build_graph
from boxmask.weights.checkpoint import load_model

Refused = Callable[..., str]
Boxmask = Callable[..., Any]
QUICK = ("--threads", "1", "--batch", "1", "--max-minutes", "0.01")


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model as a file, without the comparison."""
    file = tmp_path_factory.mktemp("exported") / "model.onnx"
    model = load_model(trained, "cpu")
    proto = build_graph(model).model()
    add_metadata(proto, model, trained)
    file.write_bytes(proto.SerializeToString())
    return file


def test_a_run_and_its_file(boxmask: Boxmask, here: Path, trained: Path, exported: Path) -> None:
    flags = ("--threads", 1, "--batch", 1, 3, "--max-minutes", 0.02)
    completed = boxmask("bench", trained, exported, *flags, "--chart", "speed.png", "--json", "speed.json")
    assert completed.status == 0, completed.err
    assert "2 validation photos of the training" in completed.out
    assert re.search(r"run +PyTorch +1 +1 .* 1\.00 +[\d,]+", completed.out)
    assert re.search(r"model\.onnx +ONNX +1 +1 ", completed.out)
    assert re.search(r"\n +ONNX +1 +3 ", completed.out)
    assert "chart: speed.png" in completed.err
    with Image.open(here / "speed.png") as chart:
        assert chart.format == "PNG"
    result = json.loads((here / "speed.json").read_text())
    assert [(row["format"], row["batch"]) for row in result["rows"]] == [
        ("PyTorch", 1),
        ("PyTorch", 3),
        ("ONNX", 1),
        ("ONNX", 3),
    ]
    for row in result["rows"]:
        assert row["median_ms"] > 0
        assert row["p95_ms"] >= row["median_ms"]
        assert row["memory_mb"] > 30
    shares = result["shares"]
    assert {"reading the file", "resizing", "features", "proposals", "heads"} <= set(shares[str(trained)])
    assert {"reading the file", "convolutions", "NMS"} <= set(shares[str(exported)])
    for parts in shares.values():
        assert sum(parts.values()) == pytest.approx(1)


def test_in_python(trained: Path, demo: Path) -> None:
    photo = demo / "images" / "test-00023.jpg"
    benchmark = verbs.bench(trained, photos=photo, threads=(1,), batch=(1,), max_minutes=0.005)
    [row] = benchmark.rows
    assert (row.model, row.format, row.ratio) == (str(trained), "PyTorch", 1)
    assert f"1 photo of {photo}," in repr(benchmark)
    assert "where the time goes" in repr(benchmark)
    assert json.loads(benchmark.to_json())["photos"]["files"] == [str(photo)]
    assert any("boxmask export" in note for note in benchmark.notes())


def test_what_is_no_model(refused: Refused, here: Path, trained: Path, tmp_path: Path) -> None:
    assert "away: there is no such run or file" in refused(1, "bench", "away")
    assert "away.onnx: there is no such file" in refused(1, "bench", "away.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    assert "text.onnx: this is not a valid ONNX file" in refused(1, "bench", tmp_path / "text.onnx", *QUICK)
    (tmp_path / "empty").mkdir()
    assert "empty: no checkpoint in this folder" in refused(1, "bench", tmp_path / "empty", *QUICK)


def test_files_of_others(boxmask: Boxmask, tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [result])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, tmp_path / "other.onnx")
    completed = boxmask("bench", tmp_path / "other.onnx", *QUICK)
    assert completed.status == 1
    assert "other.onnx: this ONNX file was not written by boxmask" in completed.err


def test_flags_that_cannot_be(refused: Refused, trained: Path, tmp_path: Path) -> None:
    assert "--threads: expected whole numbers" in refused(2, "bench", trained, "--threads", 0)
    assert "--max-minutes (in Python: max_minutes): expected more than 0" in refused(
        2, "bench", trained, "--max-minutes", 0
    )
    assert "speed.jpg: expected a file name that ends in .png" in refused(
        2, "bench", trained, "--chart", "speed.jpg"
    )
    (tmp_path / "mine.png").write_text("mine")
    assert "is not replaced" in refused(2, "bench", trained, "--chart", tmp_path / "mine.png")


def test_a_missing_package_is_named(
    refused: Refused, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxmask.benchmarking.bench.find_spec", lambda name: None)
    assert "pip install onnxruntime" in refused(2, "bench", exported)
