"""Data sets of three photos in the formats whose labels can be corrected, and a server for them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.conftest import scene
from tests.serving.conftest import Serve

from boxmask.data.conversion.convert import convert
from boxmask.data.detection.read import read_unsplit_detection

MakeData = Callable[..., Path]

BOXES = {
    "a.jpg": [("cat", [10, 10, 60, 50]), ("dog", [80, 20, 100, 90])],
    "b.jpg": [("dog", [5, 5, 25, 25]), ("dog", [30, 40, 20, 20])],
    "c.jpg": [],
}


def write_coco(root: Path, *, polygons: bool = False) -> Path:
    """A COCO data set of three photos of 200 x 160 pixels; one has no object."""
    (root / "images").mkdir(parents=True)
    images, annotations = [], list[dict[str, Any]]()
    for number, (name, objects) in enumerate(BOXES.items(), start=1):
        scene(number, (200, 160)).save(root / "images" / name)
        images.append({"id": number, "file_name": f"images/{name}", "width": 200, "height": 160})
        for class_name, (x, y, w, h) in objects:
            category = 1 if class_name == "cat" else 2
            outline = {"segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]]} if polygons else {}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": category,
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "iscrowd": 0,
                    "rare": class_name,
                    **outline,
                }
            )
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (root / "labels.json").write_text(json.dumps(document, indent=1))
    return root


@pytest.fixture
def make_data(tmp_path: Path) -> MakeData:
    """Makes a data set in a format."""

    def make(to: str = "coco", *, polygons: bool = False) -> Path:
        coco = write_coco(tmp_path / "pets", polygons=polygons)
        if to == "coco":
            return coco
        convert(coco, to, tmp_path / to)
        return tmp_path / to

    return make


class Client:
    """Asks a server about one data set."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.path = client, f"/v1/datasets/{name}"
        self.wait()

    def wait(self) -> dict[str, Any]:
        """Wait until the data set is checked."""
        deadline = time.monotonic() + 60
        while (reply := self.describe())["reading"]["state"] in ("reading", "checking"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return reply

    def describe(self) -> dict[str, Any]:
        reply: dict[str, Any] = self.client.get(self.path).json()
        return reply

    def photos(self, **wanted: Any) -> list[str]:
        reply = self.client.get(f"{self.path}/photos", params=wanted)
        assert reply.status_code == 200, reply.text
        return [Path(photo["file"]).name for photo in reply.json()["photos"]]

    def photo(self, number: int) -> dict[str, Any]:
        reply: dict[str, Any] = self.client.get(f"{self.path}/photos/{number}").json()
        return reply

    def put(self, number: int, objects: list[dict[str, Any]], version: str = "") -> Any:
        body = {"version": version or self.photo(number)["version"], "objects": objects}
        return self.client.put(f"{self.path}/photos/{number}/objects", json=body)

    def restore(self, number: int, kept: int) -> Any:
        body = {"version": self.photo(number)["version"], "number": kept}
        return self.client.post(f"{self.path}/photos/{number}/restore", json=body)


@pytest.fixture
def open_data(serve: Serve) -> Callable[[Path], Client]:
    """Starts a server for a data set, and waits until it was read."""

    def start(folder: Path) -> Client:
        return Client(serve(data=(folder,)), folder.name)

    return start


def labels_of(folder: Path) -> dict[str, list[tuple[str, list[float]]]]:
    """The classes and boxes of each photo, as training reads them."""
    found = read_unsplit_detection(folder)
    return {
        Path(str(file)).name: [
            (found.class_names[label], box.round(2).tolist())
            for label, box in zip(
                found.labels[found.offsets[n] : found.offsets[n + 1]],
                found.boxes[found.offsets[n] : found.offsets[n + 1]],
                strict=True,
            )
        ]
        for n, file in enumerate(found.files)
    }


def image_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
