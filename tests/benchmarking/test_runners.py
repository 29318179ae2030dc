"""What a case runs."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from boxmask.benchmarking.cases import Case, format_of
from boxmask.benchmarking.runners import OnnxRunner, Runner, make_runner
from boxmask.errors import CheckpointError
from boxmask.exporting.metadata import add_int8
from boxmask.exporting.table import build_graph
from boxmask.models.table import AnyModel, make_config, model_entry
from boxmask.pipeline.selective_search.search import MODES

SEARCH = replace(MODES["single"], width=64, scales=(30,), min_box_size=8)
PHOTOS = [np.random.default_rng(seed).integers(0, 256, (40, 50 + seed, 3), np.uint8) for seed in range(2)]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A Fast R-CNN, which needs proposals, as a file."""
    sizes = {"shorter_side": 64, "longer_side": 64, "hidden": 8}
    options = {**sizes, "search": SEARCH, "class_names": ("thing",), "backbone": "test_resnet"}
    config = make_config("fast-rcnn", "default", **options)
    model: AnyModel = model_entry("fast-rcnn").build(config, None).eval()  # type: ignore[assignment]
    proto = build_graph(model).model()
    described = {"format": 1, "model": "fast-rcnn", "task": "detection", "class_names": ["thing"]}
    metadata = json.dumps({**described, "config": asdict(config)})
    onnx.helper.set_model_props(proto, {"boxmask": metadata})
    onnx.save(proto, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_proposals_are_part_of_a_call(exported: Path) -> None:
    runner = make_runner(Case(str(exported), "ONNX", 1, 2))
    assert isinstance(runner, OnnxRunner)
    runner.run(PHOTOS)
    runner.run(PHOTOS[:1])

    def run_all(profiled: Runner) -> None:
        profiled.run(PHOTOS)

    seconds = runner.profile(run_all)
    assert {"convolutions", "RoI features", "NMS"} <= set(seconds)
    assert all(value > 0 for value in seconds.values())


def test_proposals_that_the_model_does_not_take(exported: Path) -> None:
    proto = onnx.load(exported)
    config = asdict(make_config("ssd", "default", class_names=("thing",)))
    described = {"format": 1, "model": "ssd", "task": "detection", "class_names": ["thing"], "config": config}
    onnx.helper.set_model_props(proto, {"boxmask": json.dumps(described)})
    onnx.save(proto, exported)
    with pytest.raises(CheckpointError, match=r"model\.onnx: .*it has no ssd with proposals"):
        make_runner(Case(str(exported), "ONNX", 1, 2))


def test_a_file_is_int8_if_its_metadata_say_so(exported: Path) -> None:
    assert format_of(exported) == "ONNX"
    proto = onnx.load(exported)
    add_int8(proto, {"layers": ["fc"]})
    onnx.save(proto, exported)
    assert format_of(exported) == "ONNX int8"
