from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import boxmask
from boxmask.errors import CheckpointError, LabelError, UsageError
from boxmask.runs.recipe import Recipe


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_from_labels_to_detections_in_three_verbs(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    run = boxmask.train(demo, recipe=quick, out=tmp_path / "run", batch_size=6)
    assert run.path == tmp_path / "run"
    assert json.loads(run.recipe_file.read_text())["recipe"]["batch_size"] == 6
    detector = boxmask.load(run.path)
    photo = demo / "images" / "test-00023.jpg"
    found = detector.predict(photo)
    assert found.names == [found.class_names[label] for label in found.labels.tolist()]
    several = detector.predict([photo, photo])
    assert [len(each) for each in several] == [len(found), len(found)]


def test_a_run_is_a_folder_or_a_checkpoint(trained: Path) -> None:
    for run in (trained, str(trained), trained / "last.safetensors"):
        assert not boxmask.load(run).training


def test_the_best_weights_are_the_ones_that_are_loaded(trained: Path) -> None:
    loaded = boxmask.load(trained).state_dict()
    best = boxmask.load(trained / "best.safetensors").state_dict()
    assert all(torch.equal(loaded[name], best[name]) for name in best)


def test_evaluate_gives_figures_by_name(trained: Path, demo: Path) -> None:
    figures = boxmask.evaluate(str(trained), str(demo), split="val").to_dict()
    assert figures["images"] == 2
    assert {"AP", "AP50", "AP75", "APs", "APm", "APl", "per_class"} <= set(figures)


def test_predict_writes_pictures(trained: Path, demo: Path, tmp_path: Path) -> None:
    done = boxmask.predict(trained, [demo / "images" / "test-00023.jpg"], tmp_path / "out")
    assert done.pictures == [tmp_path / "out" / "test-00023.jpg"]
    assert done.pictures[0].is_file()


@pytest.mark.parametrize(
    ("kind", "figures"),
    [
        ("mask-rcnn", {"AP", "mask_AP"}),
        ("unet", {"mIoU", "pixel_accuracy"}),
        ("tiles", {"mIoU", "pixel_accuracy"}),
        ("classifier", {"accuracy", "mean_accuracy"}),
    ],
)
def test_every_kind_of_model_is_loaded_and_judged(
    runs: Callable[[str], Path], demo: Path, kind: str, figures: set[str]
) -> None:
    model, photo = boxmask.load(runs(kind)), demo / "images" / "train-00001.jpg"
    found = model.predict(photo)
    assert type(model.predict([photo])[0]) is type(found)
    assert figures <= set(boxmask.evaluate(runs(kind), demo, split="val").to_dict())


def test_predict_writes_maps_but_nothing_of_a_classifier(
    runs: Callable[[str], Path], demo: Path, tmp_path: Path
) -> None:
    photo = demo / "images" / "train-00001.jpg"
    done = boxmask.predict(runs("unet"), [photo], tmp_path / "maps")
    assert done.labels == [tmp_path / "maps" / "label-maps" / "train-00001.png"]
    with pytest.raises(UsageError, match=r"a classifier draws nothing; use boxmask\.load\(run\)\.predict"):
        boxmask.predict(runs("classifier"), [photo], tmp_path / "said")
    assert not (tmp_path / "said").exists()


def test_evaluate_asks_what_label_images_mean(
    runs: Callable[[str], Path], label_maps: Path, tmp_path: Path
) -> None:
    with pytest.raises(LabelError, match=r"classes\.txt"):
        boxmask.evaluate(runs("unet"), label_maps)
    (tmp_path / "mine.txt").write_text("background\none\n")
    judged = boxmask.evaluate(runs("unet"), label_maps, classes_file=str(tmp_path / "mine.txt"))
    assert judged.to_dict()["images"] == 4


def test_wrong_choices_and_files_are_told(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--max-minutes or --epochs, not both"):
        boxmask.train(demo, max_minutes=1, epochs=1)
    with pytest.raises(UsageError, match="already exists"):
        boxmask.train(demo, recipe=replace(quick), out=tmp_path)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        boxmask.load(tmp_path / "nowhere")


def test_rooms_are_there_without_an_import_of_their_own() -> None:
    code = "import boxmask; print(boxmask.weights.from_torchvision.__name__, boxmask.kernels.nms.__name__)"
    code += "; print(boxmask.models.__name__, boxmask.segmenters.__name__, boxmask.classifiers.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rooms = ["boxmask.models", "boxmask.segmenters", "boxmask.classifiers"]
    assert done.stdout.split() == ["from_torchvision", "nms", *rooms]


def test_a_room_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        boxmask.nowhere  # noqa: B018
