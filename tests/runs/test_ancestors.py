"""A run remembers the photos of the trainings that its initial weights come from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.photo_list import PhotoList
from boxmask.data.seen import Seen
from boxmask.data.split_file import write_split_file
from boxmask.errors import CheckpointError
from boxmask.runs.ancestors import Ancestors, ancestors_of, read_ancestors, starting_points
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, recipe_json, write_json


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(bytes([number]) * 100)
    return folder


def make_run(path: Path, data: Path, start: Path | None = None, **splits: str) -> Run:
    """A run with the given split; "n0" is photo 0.jpg."""
    path.mkdir(parents=True)
    run = Run(path)
    files = [f"{name[1:]}.jpg" for name in splits]
    photos = replace(PhotoList.of(data, files, [""] * len(files)), splits=np.array(list(splits.values())))
    write_split_file(photos, run.split_file)
    ancestors_of([start] if start else []).write(run)
    write_json(run.recipe_file, recipe_json(Recipe(), data, "0"))
    return run


def found(run: Run, data: Path) -> dict[str, Seen]:
    photos = sorted(path.name for path in data.glob("*.jpg"))
    return read_ancestors(run).find(data, photos, data)


def test_photos_are_found_by_contents_through_three_generations(data: Path, tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", data, n0="train", n1="val", n2="test")
    second = make_run(tmp_path / "second", data, first.path, n2="train", n1="train", n3="test")
    third = make_run(tmp_path / "third", data, second.path / "best.safetensors", n4="train")
    assert found(first, data) == {}
    names = {str(first.path): "first", str(second.path): "second"}
    (data / "0.jpg").rename(data / "renamed.jpg")
    assert {
        photo: (names[seen.run], seen.split, seen.name) for photo, seen in found(third, data).items()
    } == {
        "renamed.jpg": ("first", "train", "0.jpg"),
        "1.jpg": ("second", "train", "1.jpg"),
        "2.jpg": ("second", "train", "2.jpg"),
    }


def test_a_photo_is_recorded_once(data: Path, tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", data, n0="train", n1="train")
    second = make_run(tmp_path / "second", data, first.path, n0="train", n1="train")
    third = make_run(tmp_path / "third", data, second.path, n0="train")
    assert [Path(training.run).name for training in read_ancestors(third).trainings] == ["second"]


def test_runs_without_contents_tell_by_names_on_the_same_data_set(data: Path, tmp_path: Path) -> None:
    old = make_run(tmp_path / "old", data, n0="train", n1="test")
    content = json.loads(old.split_file.read_text())
    del content["contents"]
    old.split_file.write_text(json.dumps(content))
    run = make_run(tmp_path / "run", data, old.path)
    assert list(found(run, data)) == ["0.jpg"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "0.jpg").write_bytes(b"other")
    assert found(run, other) == {}


def test_published_and_unknown_weights(tmp_path: Path) -> None:
    name, file = "torchvision/ssdlite320_mobilenet_v3_large", tmp_path / "alone.safetensors"
    ancestors = ancestors_of(starting_points(Recipe(init=name, classifier=str(file))))
    assert ancestors.published == {name: "COCO-train2017"}
    assert ancestors.unknown == (str(file),)
    run = Run(tmp_path)
    ancestors.write(run)
    assert read_ancestors(run) == ancestors
    assert read_ancestors(Run(tmp_path / "other")) == Ancestors()


def test_a_backbone_of_timm_needs_no_entry_in_the_manifest() -> None:
    assert ancestors_of([Path("timm/convnext_tiny")]).published == {"timm/convnext_tiny": ""}


def test_a_file_of_weights_is_not_of_the_run_beside_it(data: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", data, n0="train")
    file = run.path / "downloaded.pth"
    file.write_bytes(b"weights")
    assert ancestors_of([file]) == Ancestors(unknown=(str(file),))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"trainings": [1]}',
        '{"trainings": [], "published": 3}',
        '{"trainings": [{"run": 1, "data": "", "photos": {}, "contents": {}}]}',
        '{"trainings": [{"run": "", "data": "", "photos": {"a": "test"}, "contents": {}}]}',
        '{"trainings": [{"run": "", "data": "", "photos": {}, "contents": {"a": 1}}]}',
    ],
)
def test_a_damaged_record_is_an_error(tmp_path: Path, text: str) -> None:
    run = Run(tmp_path)
    run.ancestors_file.write_text(text)
    with pytest.raises(CheckpointError, match=r"ancestors\.json: this is not a record of ancestors"):
        read_ancestors(run)
