"""A run's split is used for the data set that it was made of, and for no other one of the same names."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.photo_digest import photo_digest
from boxmask.data.seen import Seen
from boxmask.data.split_file import read_split_file, write_split_file
from boxmask.errors import LabelError
from boxmask.runs.ancestors import ancestors_of
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, recipe_json, write_json
from boxmask.runs.splits import Split, select_split

NAMES = [f"p{number}.jpg" for number in range(6)]
SPLIT = {
    "p0.jpg": "train",
    "p1.jpg": "train",
    "p2.jpg": "train",
    "p3.jpg": "val",
    "p4.jpg": "test",
    "p5.jpg": "test",
}


def write_data(root: Path, names: Sequence[str] = NAMES, seed: int = 0, photos: str = "") -> Path:
    """Photos of noise, which depend on the seed and the name, and COCO labels of one object each."""
    (root / photos).mkdir(parents=True, exist_ok=True)
    for name in names:
        number = int("".join(filter(str.isdigit, name)))
        pixels = np.random.default_rng([seed, number]).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / photos / name)
    images = [{"id": n, "file_name": name, "height": 20, "width": 30} for n, name in enumerate(names)]
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 9, 9]} for n, _ in enumerate(names)
    ]
    labels = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (root / "labels.json").write_text(json.dumps(labels))
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Path:
    """The folder of a run on `data`, with its recipe and its split."""
    run = Run(tmp_path / "run")
    run.path.mkdir()
    dataset = read_unsplit_detection(data)
    object.__setattr__(dataset, "splits", np.array([SPLIT[file] for file in dataset.files.tolist()]))
    write_split_file(dataset, run.split_file)
    write_json(run.recipe_file, recipe_json(Recipe(), data, "0"))
    return run.path


def without_contents(run: Path) -> Path:
    """The run as an old version wrote it."""
    content = json.loads((run / "split.json").read_text())
    del content["contents"]
    (run / "split.json").write_text(json.dumps(content))
    return run


def select(run: Path, data: Path, split: Split = "test") -> DetectionDataset:
    return select_split(read_unsplit_detection(data), run, data, split)


def files(dataset: DetectionDataset) -> list[str]:
    return dataset.files.tolist()


def notes(dataset: DetectionDataset) -> str:
    return "\n".join(dataset.notes)


# ---------------------------------------------------------------- the run's data set


def test_the_data_set_of_the_run(run: Path, data: Path) -> None:
    assert files(select(run, data)) == ["p4.jpg", "p5.jpg"]
    assert notes(select(run, data)) == ""


def test_the_data_set_moved_elsewhere(run: Path, data: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(data, tmp_path / "moved"))
    assert files(select(run, moved)) == ["p4.jpg", "p5.jpg"]
    assert notes(select(run, moved)) == ""


def test_the_data_set_with_its_photos_in_another_folder(run: Path, tmp_path: Path) -> None:
    moved = write_data(tmp_path / "moved", photos="images")
    assert files(select(run, moved)) == ["images/p4.jpg", "images/p5.jpg"]
    assert "photos with another path than in training" in notes(select(run, moved))


def test_names_in_another_unicode_form(run: Path, tmp_path: Path) -> None:
    names = [f"사진{number}.jpg" for number in range(6)]
    data = write_data(tmp_path / "korean", names)
    dataset = read_unsplit_detection(data)
    object.__setattr__(dataset, "splits", np.array(["train"] * 5 + ["test"]))
    write_split_file(dataset, run / "split.json")
    copy = write_data(tmp_path / "copy", [unicodedata.normalize("NFD", name) for name in names])
    assert len(select(run, copy)) == 1


@pytest.mark.parametrize("elsewhere", [False, True])
def test_added_photos_are_left_out_with_a_note(
    run: Path, data: Path, tmp_path: Path, elsewhere: bool
) -> None:
    root = write_data(tmp_path / "copy" if elsewhere else data, [*NAMES, "p6.jpg", "p7.jpg"])
    assert files(select(run, root)) == ["p4.jpg", "p5.jpg"]
    assert "left out: 2 photos in no split:\n  p6.jpg\n  p7.jpg" in notes(select(run, root))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_removed_photos_are_noted(run: Path, data: Path, tmp_path: Path, elsewhere: bool) -> None:
    shutil.rmtree(data)
    root = write_data(tmp_path / "copy" if elsewhere else data, NAMES[2:])
    assert files(select(run, root)) == ["p4.jpg", "p5.jpg"]
    assert "no longer there: 2 photos" in notes(select(run, root))


def test_renamed_photos_are_noted_and_keep_their_split(run: Path, data: Path) -> None:
    for number in range(6):
        (data / f"p{number}.jpg").rename(data / f"x{number}.jpg")
    labels = (data / "labels.json").read_text().replace('"p', '"x')
    (data / "labels.json").write_text(labels)
    assert files(select(run, data)) == ["x4.jpg", "x5.jpg"]
    assert "photos with another path than in training:\n  x0.jpg: p0.jpg" in notes(select(run, data))


def test_photos_that_changed_where_they_were_are_noted(run: Path, data: Path) -> None:
    Image.new("RGB", (30, 20)).save(data / "p4.jpg")
    assert files(select(run, data)) == ["p4.jpg", "p5.jpg"]
    assert "photos whose contents have changed since training:\n  p4.jpg" in notes(select(run, data))


def test_an_old_run_on_its_data_set(run: Path, data: Path) -> None:
    assert files(select(without_contents(run), data)) == ["p4.jpg", "p5.jpg"]
    assert notes(select(run, data)) == ""


def test_an_old_run_on_a_copy_of_its_data_set(run: Path, tmp_path: Path) -> None:
    copy = write_data(tmp_path / "copy")
    assert files(select(without_contents(run), copy)) == ["p4.jpg", "p5.jpg"]
    assert "the run's split is applied by names alone" in notes(select(run, copy))


# ---------------------------------------------------------------- another data set


def check_other(run: Path, data: Path, num_photos: int) -> DetectionDataset:
    """Without a split of its own, the data set is evaluated as a whole or not at all."""
    with pytest.raises(LabelError, match="Choose another --split; all takes every photo"):
        select(run, data)
    everything = select(run, data, "all")
    assert len(everything) == num_photos
    return everything


def test_other_photos_with_all_names_in_common(run: Path, tmp_path: Path) -> None:
    dataset = check_other(run, write_data(tmp_path / "new", seed=1), 6)
    assert "the run's split is not used: 0 of 6 photos are the run's" in notes(dataset)
    assert "photos with the name of a photo of the run, but other contents:\n  p0.jpg" in notes(dataset)


def test_other_photos_with_one_name_in_common(run: Path, tmp_path: Path) -> None:
    names = ["p4.jpg", *(f"q{number}.jpg" for number in range(29))]
    dataset = check_other(run, write_data(tmp_path / "new", names, seed=1), 30)
    assert "the run's split is not used: 0 of 30 photos are the run's" in notes(dataset)


def test_one_photo_in_common(run: Path, tmp_path: Path) -> None:
    names = ["p0.jpg", *(f"q{number + 50}.jpg" for number in range(29))]
    dataset = check_other(run, write_data(tmp_path / "new", names), 30)
    assert "the run's split is not used: 1 of 30 photos is the run's" in notes(dataset)
    assert f"photos that were seen in training: p0.jpg: train of {run}" in notes(dataset)


def test_copies_of_training_photos_under_other_names_are_noted(run: Path, tmp_path: Path) -> None:
    dataset = check_other(run, write_data(tmp_path / "new", ["new-0.jpg", "new-3.jpg", "new-77.jpg"]), 3)
    lines = f"new-0.jpg: train of {run} (p0.jpg); new-3.jpg: val of {run} (p3.jpg)"
    assert f"photos that were seen in training: {lines}" in notes(dataset)


def test_other_photos_in_the_folder_of_the_run(run: Path, data: Path) -> None:
    dataset = check_other(run, write_data(data, seed=1), 6)
    assert "the run's split is not used: 0 of 6 photos are the run's" in notes(dataset)


def test_the_own_split_of_another_data_set_is_used(run: Path, tmp_path: Path) -> None:
    new = write_data(tmp_path / "new", seed=1)
    (new / "labels.json").rename(new / "instances_test.json")
    assert len(select(run, new)) == 6


def test_an_old_run_on_a_data_set_with_one_name_in_common(run: Path, tmp_path: Path) -> None:
    new = write_data(tmp_path / "new", ["p4.jpg", "q8.jpg", "q9.jpg"], seed=1)
    dataset = check_other(without_contents(run), new, 3)
    assert "the run's split is not used: 1 of 3 photos is the run's" in notes(dataset)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 5), min_size=1), st.integers(0, 12))
def test_no_photo_is_evaluated_as_another_one(
    tmp_path_factory: pytest.TempPathFactory, kept: set[int], num_new: int
) -> None:
    """Of any mixture of the run's photos with new ones, a test photo is one of the run's test photos."""
    folder = tmp_path_factory.mktemp("mixture")
    dataset = read_unsplit_detection(write_data(folder / "data"))
    object.__setattr__(dataset, "splits", np.array([SPLIT[file] for file in dataset.files.tolist()]))
    (folder / "run").mkdir()
    write_split_file(dataset, folder / "run/split.json")
    mixture = write_data(
        folder / "mixture", [f"p{n}.jpg" for n in sorted(kept)] + [f"q{n + 20}.jpg" for n in range(num_new)]
    )
    try:
        chosen = files(select(folder / "run", mixture))
    except LabelError:
        assert 2 * len(kept) <= len(kept) + num_new or not kept & {4, 5}
    else:
        assert chosen == [f"p{n}.jpg" for n in (4, 5) if n in kept]


# ---------------------------------------------------------------- photos that were seen in training


def test_a_test_photo_that_is_a_copy_of_a_training_photo_was_seen(run: Path, data: Path) -> None:
    shutil.copy(data / "p0.jpg", data / "p4.jpg")
    dataset = read_unsplit_detection(data)
    object.__setattr__(dataset, "splits", np.array([SPLIT[file] for file in dataset.files.tolist()]))
    write_split_file(dataset, run / "split.json")
    assert select(run, data).seen == {"p4.jpg": Seen(str(run), "train", "p0.jpg")}


def test_validation_photos_of_the_run_that_an_ancestor_was_trained_on_were_seen(
    run: Path, data: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    content = json.loads((run / "split.json").read_text())
    content["train"], content["val"] = ["p3.jpg"], content["train"]
    (first / "split.json").write_text(json.dumps(content))
    ancestors_of([first]).write(Run(run))
    assert select(run, data, "val").seen == {"p3.jpg": Seen(str(first), "train", "p3.jpg")}
    assert f"photos that were seen in training: p3.jpg: train of {first}" in notes(select(run, data, "val"))
    assert select(run, data).seen == {}


# ---------------------------------------------------------------- digests and split files


def test_digests_tell_photos_apart(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(bytes(100_000))
    second.write_bytes(bytes(50_000) + b"\1" + bytes(49_999))
    assert photo_digest(first).partition("-")[0] == "100000"
    assert photo_digest(first) != photo_digest(second)
    assert photo_digest(tmp_path / "absent") == ""
    second.write_bytes(bytes(100_000))
    assert photo_digest(first) == photo_digest(second)


@pytest.mark.parametrize("contents", ['["a"]', '{"a.jpg": 3}', '"x"', "null"])
def test_damaged_contents_are_refused(tmp_path: Path, contents: str) -> None:
    (tmp_path / "split.json").write_text('{"train": ["a.jpg"], "contents": ' + contents + "}")
    with pytest.raises(LabelError, match="expected"):
        read_split_file(tmp_path / "split.json")
