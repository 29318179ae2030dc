"""Servers with data sets in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from boxmask.serving.app import create_app
from boxmask.serving.options import ServeOptions


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A data set of one photo with one box, as COCO."""
    root = tmp_path / "boxes"
    root.mkdir()
    Image.new("RGB", (40, 30), (90, 120, 150)).save(root / "a.png")
    labels = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 10, 10], "area": 100, "iscrowd": 0}
        ],
    }
    (root / "labels.json").write_text(json.dumps(labels))
    return root


@pytest.fixture
def client_with_data(boxes: Path, tmp_path: Path) -> TestClient:
    """A server with a data set and without models."""
    options = ServeOptions(data=(boxes,), out=tmp_path / "runs")
    return TestClient(create_app([], options, names=["testserver"]), raise_server_exceptions=False)
