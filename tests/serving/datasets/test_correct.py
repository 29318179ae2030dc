"""Correcting labels: the label files are read again, and the old ones are kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.serving.conftest import Serve, error_of
from tests.serving.datasets.conftest import Client, MakeData, labels_of

OpenData = Callable[[Path], Client]
FORMATS = ["coco", "yolo", "voc", "labelme"]
BOX = {"kind": "box", "box": [20.0, 30.0, 70.0, 90.0]}
POLYGON = {"kind": "polygon", "points": [[20.0, 30.0], [70.0, 30.0], [45.0, 90.0]]}


def kept(photo: dict[str, Any], *ids: int) -> list[dict[str, Any]]:
    """Objects that stay as they are."""
    return [{"id": number, "class_name": photo["objects"][number]["class_name"]} for number in ids]


def files_of(folder: Path) -> dict[str, bytes]:
    """All files that are not hidden."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("to", FORMATS)
def test_change_add_move_and_remove(make_data: MakeData, open_data: OpenData, to: str) -> None:
    folder = make_data(to)
    before, files = labels_of(folder), files_of(folder)
    data = open_data(folder)
    photo = data.photo(0)
    assert [each["class_name"] for each in photo["objects"]] == ["cat", "dog"]
    moved = {"id": 1, "class_name": "cat", "shape": BOX}
    added = {"class_name": "dog", "shape": {"kind": "box", "box": [1, 2, 41, 52]}}
    reply = data.put(0, [moved, added])
    assert reply.status_code == 200, reply.text
    saved = reply.json()
    assert saved["version"] != photo["version"]
    expected = [("cat", [20, 30, 70, 90]), ("dog", [1, 2, 41, 52])]
    assert [(each["class_name"], each["box"]) for each in saved["objects"]] == [
        (name, pytest.approx(box, abs=1e-6)) for name, box in expected
    ]
    assert labels_of(folder) == before | {"a.jpg": expected}
    after = files_of(folder)
    changed = [name for name in files if after[name] != files[name]]
    assert len(changed) == 1
    assert after.keys() == files.keys()
    old = (folder / changed[0]).with_name(saved["kept"])
    assert old.read_bytes() == files[changed[0]]
    assert saved["versions"][0]["file"] == saved["kept"]
    assert data.photo(0)["objects"] == saved["objects"]
    counts = {each["name"]: each["objects"] for each in data.describe()["classes"]}
    assert counts == {"cat": 1, "dog": 3}


@pytest.mark.parametrize("to", ["coco", "yolo", "labelme"])
def test_polygons(make_data: MakeData, open_data: OpenData, to: str) -> None:
    folder = make_data(to, polygons=True)
    before = labels_of(folder)
    data = open_data(folder)
    photo = data.photo(1)
    assert {each["kind"] for each in photo["objects"]} == {"polygon"}
    reply = data.put(1, [*kept(photo, 0), {"id": 1, "class_name": "dog", "shape": POLYGON}])
    assert reply.status_code == 200, reply.text
    [first, second] = reply.json()["objects"]
    assert first == photo["objects"][0]
    assert second["rings"] == [[pytest.approx(point, abs=1e-6) for point in POLYGON["points"]]]
    assert labels_of(folder) == before | {"b.jpg": [before["b.jpg"][0], ("dog", [20, 30, 70, 90])]}


@pytest.mark.parametrize("to", FORMATS)
def test_undo_brings_the_same_bytes_back(make_data: MakeData, open_data: OpenData, to: str) -> None:
    folder = make_data(to)
    files = files_of(folder)
    data = open_data(folder)
    photo = data.photo(0)
    saved = data.put(0, kept(photo, 1)).json()
    reply = data.restore(0, saved["versions"][0]["number"])
    assert reply.status_code == 200, reply.text
    assert reply.json()["reading"]["state"] == "ready"
    assert files_of(folder) == files
    assert data.photo(0)["objects"] == photo["objects"]
    assert [old["number"] for old in data.photo(0)["versions"]] == [2, 1]


def test_an_older_version_is_read_again(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data())
    photos = [data.photo(number) for number in (0, 1)]
    first = data.put(0, []).json()["versions"][0]["number"]
    assert data.put(1, kept(photos[1], 0)).status_code == 200
    assert data.restore(0, first).status_code == 200
    data.wait()
    assert [data.photo(number)["objects"] for number in (0, 1)] == [each["objects"] for each in photos]


def test_nothing_is_written_without_a_change(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data("yolo")
    data = open_data(folder)
    photo = data.photo(0)
    shape = {"kind": "box", "box": photo["objects"][0]["box"]}
    objects = [{"id": 0, "class_name": "cat", "shape": shape}, *kept(photo, 1)]
    reply = data.put(0, objects).json()
    assert (reply["kept"], reply["versions"], reply["version"]) == ("", [], photo["version"])


@pytest.mark.parametrize("to", ["yolo", "voc", "labelme"])
def test_a_photo_without_a_label_file_gets_one(make_data: MakeData, open_data: OpenData, to: str) -> None:
    folder = make_data(to)
    before = labels_of(folder)
    [label_file] = [path for path in folder.rglob("c.*") if path.suffix in (".txt", ".xml", ".json")]
    label_file.unlink()
    data = open_data(folder)
    assert data.photo(2)["label_file"] == ""
    reply = data.put(2, [{"class_name": "cat", "shape": BOX}])
    assert reply.status_code == 200, reply.text
    assert reply.json()["kept"] == ""
    assert label_file.exists()
    assert labels_of(folder) == before | {"c.jpg": [("cat", [20, 30, 70, 90])]}
    reply = data.put(2, [{"id": 0, "class_name": "dog"}])
    assert reply.status_code == 200, reply.text
    assert labels_of(folder) == before | {"c.jpg": [("dog", [20, 30, 70, 90])]}
    assert reply.json()["label_file"] == label_file.relative_to(folder).as_posix()


def test_changes_by_others_are_noticed(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data("yolo")
    data = open_data(folder)
    [file] = folder.rglob("a.txt")
    version = data.photo(0)["version"]
    os.utime(file, (1, 1))
    assert data.photo(0)["changed"]
    reply = data.put(0, [], version)
    assert (reply.status_code, error_of(reply)) == (409, "labels-changed")
    assert data.client.post(f"{data.path}/read").status_code == 200
    data.wait()
    assert not data.photo(0)["changed"]
    reply = data.put(0, [], version)
    assert (reply.status_code, error_of(reply)) == (409, "photo-changed")
    assert data.put(0, []).status_code == 200


def test_stale_corrections_are_refused(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data())
    photo = data.photo(0)
    assert data.put(0, kept(photo, 0)).status_code == 200
    reply = data.put(0, kept(photo, 1), photo["version"])
    assert (reply.status_code, error_of(reply)) == (409, "photo-changed")
    assert data.put(1, []).status_code == 200  # another photo in the same file


@pytest.mark.parametrize(
    ("objects", "code"),
    [
        ([{"id": 7, "class_name": "cat"}], "invalid"),
        ([{"id": 0, "class_name": "cat"}] * 2, "invalid"),
        ([{"class_name": "cat"}], "invalid"),
        ([{"class_name": "cow", "shape": BOX}], "unknown-class"),
        ([{"class_name": "cat", "shape": {"kind": "box", "box": [5, 5, 5, 50]}}], "invalid"),
        ([{"class_name": "cat", "shape": {"kind": "box", "box": [500, 5, 600, 50]}}], "invalid"),
        ([{"class_name": "cat", "shape": {"kind": "polygon", "points": [[1, 1], [9, 9]]}}], "invalid"),
        ([{"class_name": "cat", "shape": {"kind": "circle"}}], "invalid"),
        ([{"class_name": "cat", "shape": BOX, "path": "/etc/passwd"}], "invalid"),
    ],
)
def test_what_is_refused(
    make_data: MakeData, open_data: OpenData, objects: list[dict[str, Any]], code: str
) -> None:
    folder = make_data()
    files = files_of(folder)
    data = open_data(folder)
    reply = data.put(0, objects)
    assert (reply.status_code, error_of(reply)) == (422, code)
    assert files_of(folder) == files


def test_only_json_is_taken(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data())
    body = json.dumps({"version": data.photo(0)["version"], "objects": []})
    reply = data.client.put(
        f"{data.path}/photos/0/objects", content=body, headers={"content-type": "text/plain"}
    )
    assert (reply.status_code, error_of(reply)) == (415, "wrong-content-type")


def test_other_formats_are_named_with_the_way_out(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data("cvat"))
    correcting = data.describe()["correcting"]
    assert (correcting["shapes"], correcting["code"]) == ([], "format")
    assert "boxmask convert" in correcting["message"]
    reply = data.put(0, [])
    assert (reply.status_code, error_of(reply)) == (409, "not-corrected-format")


def test_only_unpacked_archives_are_not_corrected(
    make_data: MakeData, open_data: OpenData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxmask.serving.datasets.places.cache_folder", lambda: tmp_path)
    data = make_data("coco")
    for folder, code in (("archives", "archive"), ("archives-of-mine", "")):
        root = shutil.copytree(data, tmp_path / folder / "pets")
        assert open_data(root).describe()["correcting"]["code"] == code


def test_voc_with_masks_is_not_corrected(make_data: MakeData, open_data: OpenData) -> None:
    data = open_data(make_data("voc", polygons=True))
    assert data.photo(0)["correcting"]["code"] == "masks"
    assert error_of(data.put(0, [])) == "not-corrected-masks"


def test_labels_of_another_size_are_not_corrected(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data("voc")
    for file in folder.rglob("*.xml"):
        file.write_text(file.read_text().replace("<width>200</width>", "<width>201</width>"))
    data = open_data(folder)
    assert error_of(data.put(0, [])) == "not-corrected-size"


def test_masks_are_shown_and_stay(make_data: MakeData, open_data: OpenData) -> None:
    folder = make_data(polygons=True)
    document = json.loads((folder / "labels.json").read_text())
    first = document["annotations"][0]
    first["segmentation"] = first["segmentation"] * 2
    (folder / "labels.json").write_text(json.dumps(document))
    data = open_data(folder)
    photo = data.photo(0)
    assert [each["kind"] for each in photo["objects"]] == ["outline", "polygon"]
    assert len(photo["objects"][0]["rings"]) == 2
    shaped = {"id": 0, "class_name": "cat", "shape": BOX}
    assert error_of(data.put(0, [shaped])) == "invalid"
    saved = data.put(0, [{"id": 0, "class_name": "dog"}]).json()
    assert saved["objects"] == [photo["objects"][0] | {"class_name": "dog"}]
    written = json.loads((folder / "labels.json").read_text())["annotations"]
    assert written[0] == first | {"category_id": 2}


def test_a_full_disk_changes_nothing(
    make_data: MakeData, open_data: OpenData, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_data("yolo")
    files = files_of(folder)
    data = open_data(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    reply = data.put(0, [])
    assert (reply.status_code, error_of(reply)) == (507, "not-written")
    monkeypatch.undo()
    assert files_of(folder) == files
    assert not list(folder.rglob(".*.old-*"))


def test_the_token_and_other_origins(serve: Serve, make_data: MakeData) -> None:
    client = serve(data=(make_data(),), token="a-secret-of-16-characters")
    assert client.put("/v1/datasets/pets/photos/0/objects", json={}).status_code == 401
    headers = {"authorization": "Bearer a-secret-of-16-characters", "origin": "https://evil.example"}
    assert client.put("/v1/datasets/pets/photos/0/objects", json={}, headers=headers).status_code == 403
