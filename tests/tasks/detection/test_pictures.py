from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from boxmask.tasks.detection.evaluation import contact_sheet_of, draw_evaluation, evaluate_with_detections
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.errors import LabelError, UsageError
from boxmask.runs.splits import Split, chosen_photos
from boxmask.weights.checkpoint import load_detector


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run that may be changed."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def chosen(run: Path, data: Path, split: Split) -> DetectionDataset:
    return chosen_photos(read_unsplit_detection(data), run, data, split)


def files(dataset: DetectionDataset) -> set[str]:
    return set(dataset.files.tolist())


@pytest.mark.parametrize(("split", "photos"), [("train", 18), ("val", 2), ("test", 4), ("all", 24)])
def test_the_photos_are_those_of_the_split(trained: Path, demo: Path, split: str, photos: int) -> None:
    assert len(chosen(trained, demo, split)) == photos  # type: ignore[arg-type]


def test_the_run_s_own_split_counts_on_its_own_data(run: Path, demo: Path) -> None:
    split = json.loads((run / "split.json").read_text())
    split["train"], split["test"] = split["train"][4:] + split["test"], split["train"][:4]
    (run / "split.json").write_text(json.dumps(split))
    for given in (run, run / "best.safetensors"):
        assert files(chosen(given, demo, "test")) == set(split["test"])


def test_other_data_has_splits_of_its_own(trained: Path, demo: Path) -> None:
    photos = chosen(trained, demo / "instances_test.json", "test")
    assert len(photos) == 4


def test_a_photo_that_went_does_not_move_the_others(run: Path, demo: Path, tmp_path: Path) -> None:
    kept = chosen(run, demo, "test")
    split = json.loads((run / "split.json").read_text())
    split["train"].append("images/went.jpg")
    (run / "split.json").write_text(json.dumps(split))
    photos = chosen(run, demo, "test")
    assert files(photos) == files(kept)
    assert any("images/went.jpg" in note for note in photos.notes)


def test_a_set_that_nobody_split_is_not_drawn_from(trained: Path, demo: Path, tmp_path: Path) -> None:
    labels = json.loads((demo / "instances_test.json").read_text())
    for image in labels["images"]:
        shutil.copy(demo / "images" / image["file_name"], tmp_path / f"new-{image['file_name']}")
        image["file_name"] = f"new-{image['file_name']}"
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(LabelError, match="all takes every photo"):
        chosen(trained, tmp_path, "test")
    assert len(chosen(trained, tmp_path, "all")) == 4


def test_a_checkpoint_alone_has_no_split(run: Path, demo: Path, tmp_path: Path) -> None:
    shutil.move(run / "best.safetensors", tmp_path / "alone.safetensors")
    own = files(read_detection(demo).split("test"))
    assert files(chosen(tmp_path / "alone.safetensors", demo, "test")) == own


def test_a_split_without_photos_is_refused(trained: Path, demo: Path) -> None:
    with pytest.raises(LabelError, match="there are no train photos: "):
        chosen(trained, demo / "instances_test.json", "train")


def test_figures_and_detections_belong_together(trained: Path, demo: Path) -> None:
    dataset = chosen(trained, demo, "test")
    told: list[tuple[int, int]] = []
    evaluation, detections = evaluate_with_detections(
        load_detector(trained), dataset, progress=lambda done, of: told.append((done, of))
    )
    assert evaluation.images == len(detections) == 4
    assert evaluation.objects == len(dataset.boxes)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for photo, found in enumerate(detections):
        assert found.size == tuple(dataset.sizes[photo].tolist())


def test_each_photo_is_drawn_twice(trained: Path, demo: Path, tmp_path: Path) -> None:
    dataset = chosen(trained, demo, "test").subset(np.array([0, 1]))
    _, detections = evaluate_with_detections(load_detector(trained), dataset)
    pictures = draw_evaluation(dataset, detections, tmp_path / "pictures")
    assert sorted((tmp_path / "pictures").iterdir()) == sorted(pictures)
    assert [picture.stem for picture in pictures] == [dataset.path(photo).stem for photo in (0, 1)]
    assert Image.open(pictures[0]).width > 2 * dataset.sizes[0, 1]
    assert contact_sheet_of(dataset, detections, 2).shape[1] == 1600


def test_photos_of_the_same_name_have_pictures_of_their_own(
    demo: Path, trained: Path, tmp_path: Path
) -> None:
    dataset = chosen(trained, demo, "test").subset(np.array([0, 1]))
    for number, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        shutil.copy(dataset.path(number), tmp_path / folder / "a.jpg")
    twins = replace(dataset, root=tmp_path, files=np.array(["one/a.jpg", "two/a.jpg"]))
    _, detections = evaluate_with_detections(load_detector(trained), twins)
    pictures = draw_evaluation(twins, detections, tmp_path / "pictures")
    assert [picture.name for picture in pictures] == ["a.jpg", "a-2.jpg"]


def test_a_photo_is_never_replaced_by_its_picture(demo: Path, trained: Path) -> None:
    dataset = chosen(trained, demo, "test")
    before = dataset.path(0).read_bytes()
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        draw_evaluation(dataset, [], demo / "images")
    assert dataset.path(0).read_bytes() == before
