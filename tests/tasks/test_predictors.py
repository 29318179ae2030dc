"""Exported files in `boxmask predict` and `boxmask evaluate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import boxmask
from boxmask.detectors.ssd import SSDConfig
from boxmask.errors import CheckpointError, UsageError
from boxmask.runtime.models import ExportedDetector
from boxmask.tasks.predictors import load_predictor

CLASSES = ("cat", "dog")
BOX = (5, 5, 25, 35)


def exported_ssd() -> onnx.ModelProto:
    """A detector that finds a dog at BOX in every photo."""
    constants = {
        "boxes_value": np.array([BOX], dtype=np.float32),
        "scores_value": np.array([0.9], dtype=np.float32),
        "labels_value": np.array([1]),
        "counts_value": np.array([1]),
    }
    kinds = {"boxes": TensorProto.FLOAT, "scores": TensorProto.FLOAT, "labels": TensorProto.INT64}
    outputs = [
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", 4]),
        *(helper.make_tensor_value_info(name, kinds[name], ["N"]) for name in ("scores", "labels")),
        helper.make_tensor_value_info("counts", TensorProto.INT64, ["B"]),
    ]
    inputs = [
        helper.make_tensor_value_info("photos", TensorProto.UINT8, ["B", "H", "W", 3]),
        helper.make_tensor_value_info("sizes", TensorProto.INT64, ["B", 2]),
    ]
    nodes = [helper.make_node("Identity", [name], [name.removesuffix("_value")]) for name in constants]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "test", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(**changes: object) -> Path:
        values = {
            "format": 1,
            "version": "0.2.0",
            "model": "ssd",
            "task": "detection",
            "class_names": list(CLASSES),
            "config": json.loads(json.dumps(asdict(SSDConfig(CLASSES)))),
            "evaluation": {"metrics": {"min_scores": {"cat": 0.3, "dog": 0.95}}},
        }
        model = exported_ssd()
        helper.set_model_props(model, {"boxmask": json.dumps(values | changes)})
        (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
        return tmp_path / "model.onnx"

    return write


@pytest.fixture
def labeled(tmp_path: Path) -> Path:
    """COCO labels: a dog in each of two photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    x1, y1, x2, y2 = BOX
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (60, 40), (90, 120, 60)).save(folder / name)
    box = [x1, y1, x2 - x1, y2 - y1]
    document = {
        "images": [{"id": i, "file_name": f"{n}.jpg", "width": 60, "height": 40} for i, n in enumerate("ab")],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 2, "bbox": box, "area": 600, "iscrowd": 0} for i in (0, 1)
        ],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    return folder


def test_it_has_the_config_of_its_model(write: Callable[..., Path]) -> None:
    model = load_predictor(write())
    assert isinstance(model, ExportedDetector)
    assert model.config == SSDConfig(CLASSES)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "yolo"}, "it has no model 'yolo' for detection"),
        ({"model": "fcn"}, "it has no model 'fcn' for detection"),
        ({"config": {"class_names": ["cat"]}}, "unknown or missing options"),
        ({"class_names": ["dog", "cat"]}, "the config has other class names"),
    ],
)
def test_files_of_another_version(write: Callable[..., Path], changes: dict[str, object], says: str) -> None:
    with pytest.raises(CheckpointError, match=rf"model\.onnx: this file does not fit .*{says}"):
        load_predictor(write(**changes))


def test_a_file_with_proposals_whose_model_takes_none(write: Callable[..., Path]) -> None:
    file = write()
    model = onnx.load(file)
    model.graph.input.extend(
        [
            helper.make_tensor_value_info("proposals", TensorProto.FLOAT, ["P", 4]),
            helper.make_tensor_value_info("proposal_counts", TensorProto.INT64, ["B"]),
        ]
    )
    file.write_bytes(model.SerializeToString())
    with pytest.raises(CheckpointError, match=r"model\.onnx: this file .*it has no ssd with proposals"):
        load_predictor(file)
    with pytest.raises(CheckpointError, match="it has no ssd with proposals"):
        boxmask.load(file)


def test_evaluate(write: Callable[..., Path], labeled: Path) -> None:
    evaluation = boxmask.evaluate(write(), labeled, "all")
    assert evaluation["AP"] == 1
    assert evaluation["AR1"] == 1


def test_predict(write: Callable[..., Path], labeled: Path, tmp_path: Path) -> None:
    prediction = boxmask.predict(write(), labeled, tmp_path / "out", save="png,coco,csv")
    assert [found.names for found in prediction.results] == [["dog"], ["dog"]]
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {
        "a.png",
        "detections.json",
        "detections.csv",
    }
    of_cats = boxmask.predict(write(), labeled, tmp_path / "cats", save="coco", classes=["cat"])
    assert [len(found) for found in of_cats.results] == [0, 0]


def test_options_that_a_file_cannot_have(write: Callable[..., Path], labeled: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the NMS of an ONNX file cannot be changed"):
        boxmask.predict(write(), labeled, tmp_path / "out", nms_iou=0.4)
    with pytest.raises(UsageError, match="needs a Fast R-CNN"):
        boxmask.predict(write(), labeled, tmp_path / "out", svd=(8, 8))


def test_the_best_scores_come_from_the_file(
    write: Callable[..., Path], labeled: Path, tmp_path: Path
) -> None:
    prediction = boxmask.predict(write(), labeled, tmp_path / "out", save="yolo", min_score="auto")
    assert "0 objects" in prediction.summary  # 0.9 is below the minimum score of dogs
    with pytest.raises(UsageError, match="has no recorded minimum scores"):
        boxmask.predict(write(evaluation={}), labeled, tmp_path / "other", min_score="auto")
