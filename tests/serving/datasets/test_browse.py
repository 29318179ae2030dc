"""Looking through data sets: lists, filters, findings and pictures."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.serving.conftest import Serve, error_of
from tests.serving.datasets.conftest import Client, MakeData

from boxmask.serving.datasets.photo_index import PhotoFilter, PhotoIndex
from boxmask.serving.datasets.pictures import Thumbnails

OpenData = Callable[[Path], Client]


def test_a_data_set(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data())
    reply = data.describe()
    assert reply["reading"] == {"state": "ready", "photos_checked": 3, "photos_to_check": 3, "error": ""}
    assert (reply["format"], reply["photos"], reply["objects"], reply["label_files"]) == (
        "COCO JSON",
        3,
        4,
        1,
    )
    assert [(each["name"], each["objects"], each["photos"]) for each in reply["classes"]] == [
        ("cat", 1, 1),
        ("dog", 3, 2),
    ]
    assert reply["correcting"] == {"shapes": ["box", "polygon"], "code": "", "message": ""}
    listed = data.client.get("/v1/datasets").json()["datasets"]
    assert [each["id"] for each in listed] == ["pets"]


def test_filters(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data())
    assert data.photos() == ["a.jpg", "b.jpg", "c.jpg"]
    assert data.photos(offset=1, limit=1) == ["b.jpg"]
    assert data.photos(class_name="dog") == ["a.jpg", "b.jpg"]
    assert data.photos(class_name="dog", object_size="small") == ["b.jpg"]
    assert data.photos(class_name="cat", object_size="small") == []
    assert data.photos(object_size="medium") == ["a.jpg"]
    assert data.photos(empty=True) == ["c.jpg"]
    assert data.photos(text="B.J") == ["b.jpg"]
    assert data.photos(photo_size="small") == ["a.jpg", "b.jpg", "c.jpg"]
    assert data.photos(photo_size="large") == []
    reply = data.client.get(f"{data.path}/photos", params={"limit": 1000})
    assert reply.status_code == 422


def test_findings(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data()
    document = json.loads((folder / "labels.json").read_text())
    document["annotations"].append(document["annotations"][1] | {"id": 9})
    (folder / "labels.json").write_text(json.dumps(document))
    data = open_data(folder)
    [group] = [each for each in data.describe()["findings"] if each["id"] == "box-repeated"]
    assert (group["count"], group["photos"]) == (1, 1)
    assert data.photos(finding="box-repeated") == ["a.jpg"]
    [finding] = [each for each in data.photo(0)["findings"] if each["kind"] == "box-repeated"]
    assert finding["object"] == 2
    assert (
        error_of(data.client.get(f"{data.path}/photos", params={"finding": "no-such"})) == "unknown-finding"
    )
    assert data.put(0, [{"id": 0, "class_name": "cat"}]).json()["findings_outdated"]


def test_pictures(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data()
    large = Image.new("RGB", (1000, 400), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    large.save(folder / "images" / "c.jpg", exif=exif)
    data = open_data(folder)
    reply = data.client.get(f"{data.path}/photos/2/thumbnail")
    assert reply.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(reply.content)).size == (128, 320)
    etag = {"if-none-match": reply.headers["etag"]}
    assert data.client.get(f"{data.path}/photos/2/thumbnail", headers=etag).status_code == 304
    image = data.client.get(f"{data.path}/photos/2/image")
    assert image.content == (folder / "images" / "c.jpg").read_bytes()
    assert image.headers["x-content-type-options"] == "nosniff"
    large.save(folder / "images" / "c.jpg")
    assert data.client.get(f"{data.path}/photos/2/thumbnail", headers=etag).status_code == 200
    (folder / "images" / "c.jpg").write_bytes(b"no photo")
    assert error_of(data.client.get(f"{data.path}/photos/2/image")) == "photo-unreadable"
    (folder / "images" / "c.jpg").unlink()
    assert error_of(data.client.get(f"{data.path}/photos/2/thumbnail")) == "photo-missing"


def test_pictures_that_browsers_do_not_show_are_converted(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data("yolo")
    [photo] = folder.rglob("a.jpg")
    Image.open(photo).save(photo.with_suffix(".tif"))
    photo.unlink()
    data = open_data(folder)
    reply = data.client.get(f"{data.path}/photos/0/image")
    assert reply.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(reply.content)).size == (200, 160)


def test_what_is_not_there(serve: Serve, make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data())
    assert error_of(data.client.get("/v1/datasets/..%2Fpets")) in ("not-found", "unknown-dataset")
    assert error_of(data.client.get("/v1/datasets/nothing")) == "unknown-dataset"
    assert error_of(data.client.get(f"{data.path}/photos/3")) == "unknown-photo"
    assert error_of(data.client.get(f"{data.path}/photos/-1/image")) == "unknown-photo"
    without = serve()
    assert error_of(without.get("/v1/datasets")) == "not-found"
    assert error_of(without.put("/v1/datasets/pets/photos/0/objects", json={})) == "not-found"


def test_data_that_cannot_be_read(tmp_path: Path, open_data: OpenData) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "labels.json").write_text('{"images": [')
    data = open_data(tmp_path / "broken")
    reading = data.describe()["reading"]
    assert reading["state"] == "failed"
    assert "labels.json" in reading["error"]
    assert error_of(data.client.get(f"{data.path}/photos")) == "data-unreadable"


def test_label_maps_are_shown(label_maps: Path, tmp_path: Path, open_data: OpenData) -> None:
    folder = Path(shutil.copytree(label_maps, tmp_path / "maps"))
    (folder / "classes.txt").write_text("background\ndigit\n")
    data = open_data(folder)
    reply = data.describe()
    assert reply["reading"]["error"] == ""
    assert (reply["kind"], reply["correcting"]["code"]) == ("label maps", "format")
    assert len(data.photos()) == 24
    assert data.photo(0)["objects"][0]["kind"] == "outline"


def test_the_cache_of_thumbnails_is_bounded(tmp_path: Path) -> None:
    thumbnails = Thumbnails(max_bytes=400)
    for number in range(20):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (30, 30), (number, 0, 0)).save(path)
        assert thumbnails.get(path, str(number)) == thumbnails.get(path, str(number))
    assert 0 < thumbnails.size <= 400


@pytest.mark.parametrize("seed", range(5))
def test_the_index_agrees_with_a_plain_count(seed: int) -> None:
    random = np.random.default_rng(seed)
    photo_of = np.sort(random.integers(0, 8, 30))
    boxes = random.uniform(0, 100, (30, 2)).repeat(2, axis=0).reshape(30, 4)
    boxes[:, 2:] = boxes[:, :2] + random.uniform(1, 150, (30, 2))
    labels = random.integers(0, 2, 30)
    files = tuple(f"{n}.jpg" for n in range(8))
    sizes = np.full((8, 2), 100)
    index = PhotoIndex(files, ("cat", "dog"), np.arange(8), sizes, photo_of, labels, boxes)
    found = set(index.select(PhotoFilter("dog", "medium")).tolist())
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert found == {
        int(photo)
        for photo, label, area in zip(photo_of, labels, areas, strict=True)
        if label == 1 and 32**2 <= area < 96**2
    }
    changed = index.with_objects(3, np.array([1, 0]), boxes[:2])
    assert changed.objects_of(3, 9)[0].tolist() == [1, 0]
    for photo in (0, 1, 2, 4, 5, 6, 7):
        np.testing.assert_array_equal(changed.objects_of(photo, 99)[1], index.objects_of(photo, 99)[1])
