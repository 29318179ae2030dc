"""The functions and names of the package `boxmask` itself."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import boxmask

Runs = Callable[[str], Path]

FORMS: dict[str, Callable[[Path], boxmask.Run | Path | str]] = {
    "run": lambda folder: boxmask.Run(folder),
    "path": lambda folder: folder,
    "string": str,
    "checkpoint": lambda folder: folder / "best.safetensors",
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def photo(demo: Path) -> Path:
    return demo / "images" / "test-00023.jpg"


# ---------------------------------------------------------------- train


def test_train_gives_a_run_with_its_recipe_metrics_and_model(
    demo: Path, photo: Path, quick: boxmask.Recipe, tmp_path: Path
) -> None:
    run = boxmask.train(demo, recipe=quick, out=tmp_path / "run", batch_size=6)
    assert isinstance(run, boxmask.Run)
    assert run.path == tmp_path / "run"
    assert os.fspath(run) == str(tmp_path / "run")
    assert run.finished
    assert run.recipe == replace(quick, batch_size=6).with_method_defaults()
    assert 0 <= run.metrics["AP50"] <= 1
    assert run.metrics["images"] == 2
    model = run.model()
    assert not model.training
    assert model.predict(photo) == boxmask.load(run).predict(photo)


def test_paths_and_model_options_can_be_given_as_plain_python(
    demo: Path, quick: boxmask.Recipe, tmp_path: Path
) -> None:
    options = {"channels": 16, "rpn_channels": 16, "hidden": 16, "test_proposals": (50, 20), "nms_iou": 0.4}
    run = boxmask.train(str(demo), recipe=quick, out=str(tmp_path / "run"), model_options=options)
    config = run.model().config
    assert {name: getattr(config, name) for name in options} == options
    assert run.recipe.option_values == options


def test_a_model_option_can_be_text(demo: Path, quick: boxmask.Recipe) -> None:
    with pytest.raises(boxmask.UsageError, match="channels: expected int, found 'many'"):
        boxmask.train(demo, recipe=quick, model_options={"channels": "many"})


def test_the_source_of_the_weights_can_be_a_run(
    runs: Runs, demo: Path, recipes: dict[str, boxmask.Recipe], tmp_path: Path
) -> None:
    source = boxmask.Run(runs("faster-rcnn"))
    recipe = replace(recipes["mask-rcnn"], backbone=None)
    run = boxmask.train(demo, recipe=recipe, out=tmp_path / "run", detector=source)
    assert run.recipe.detector == source.path
    assert run.model().config.backbone == "test_resnet"


def test_invalid_options_are_errors(demo: Path, quick: boxmask.Recipe, tmp_path: Path) -> None:
    with pytest.raises(boxmask.UsageError, match=r"--max-minutes .* or --epochs, not both"):
        boxmask.train(demo, max_minutes=1, epochs=1)
    with pytest.raises(boxmask.UsageError, match="already exists"):
        boxmask.train(demo, recipe=quick, out=tmp_path)
    with pytest.raises(TypeError, match="modle"):
        boxmask.train(demo, recipe=quick, modle="fcos")  # type: ignore[call-arg]


# ---------------------------------------------------------------- load


@pytest.mark.parametrize("form", FORMS)
def test_load_takes_a_run_or_a_path(trained: Path, form: str) -> None:
    assert not boxmask.load(FORMS[form](trained)).training


def test_load_gives_the_best_weights(trained: Path) -> None:
    loaded = boxmask.load(trained).state_dict()
    best = boxmask.load(trained / "best.safetensors").state_dict()
    assert all(torch.equal(loaded[name], best[name]) for name in best)
    last = boxmask.load(trained / "last.safetensors")
    assert not last.training


def test_a_model_predicts_one_photo_or_several(trained: Path, photo: Path) -> None:
    detector = boxmask.load(trained)
    detections = detector.predict(photo)
    assert isinstance(detections, boxmask.Detections)
    assert detections.names == [detections.class_names[label] for label in detections.labels.tolist()]
    several = detector.predict([photo, photo])
    assert [len(each) for each in several] == [len(detections), len(detections)]


def test_a_device_may_be_an_object(demo: Path, tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    options = {"backbone": "test_resnet", "weights": "none", "size": 64, "epochs": 1, "workers": 0}
    run = boxmask.train(demo, out=tmp_path / "run", device=cpu, **options)  # type: ignore[arg-type]
    assert json.loads((run.path / "recipe.json").read_text())["recipe"]["device"] == "cpu"
    assert next(boxmask.load(run, device=cpu).parameters()).device == cpu  # type: ignore[arg-type]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "CUDA", "meta"])
def test_a_gpu_that_is_not_there_is_never_replaced_by_the_cpu(
    device: str, demo: Path, trained: Path, tmp_path: Path
) -> None:
    refusal = pytest.raises(boxmask.UsageError, match=f"--device {device}: cannot be used here")
    with refusal:
        boxmask.train(demo, out=tmp_path / "run", epochs=1, size=64, device=device)
    with refusal:
        boxmask.train(demo, recipe=boxmask.Recipe(device=device), out=tmp_path / "run")
    with refusal:
        boxmask.load(trained, device=device)
    with refusal:
        boxmask.evaluate(trained, demo, device=device)
    with refusal:
        boxmask.predict(trained, demo, tmp_path / "out", device=device)
    assert not list(tmp_path.iterdir())


def test_a_missing_run_or_device_is_an_error(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(boxmask.CheckpointError, match="no such checkpoint"):
        boxmask.load(tmp_path / "nowhere")
    with pytest.raises(boxmask.UsageError, match="--device gpu7: cannot be used here"):
        boxmask.load(trained, device="gpu7")


# ---------------------------------------------------------------- evaluate


@pytest.mark.parametrize("form", FORMS)
def test_evaluate_takes_a_run_or_a_path(trained: Path, demo: Path, form: str) -> None:
    calls: list[tuple[int, int]] = []
    evaluation = boxmask.evaluate(
        FORMS[form](trained), str(demo), split="val", progress=lambda *done: calls.append(done)
    )
    metrics = evaluation.to_dict()
    assert metrics["images"] == 2
    assert {"AP", "AP50", "AP75", "APs", "APm", "APl", "per_class"} <= set(metrics)
    assert evaluation["AP50"] == metrics["AP50"]
    assert list(evaluation.interval("AP50") or ()) == list(metrics["AP50_interval"] or ())
    assert calls == [(1, 2), (2, 2)]


def test_evaluate_draws_into_a_folder(trained: Path, demo: Path, tmp_path: Path) -> None:
    boxmask.evaluate(trained, demo, split="val", pictures=str(tmp_path / "pictures"))
    assert len(list((tmp_path / "pictures").glob("*.jpg"))) == 2


def test_evaluate_warns_of_pictures_that_were_removed(trained: Path, demo: Path, tmp_path: Path) -> None:
    boxmask.evaluate(trained, demo, pictures=tmp_path / "drawn")
    with pytest.warns(UserWarning, match="removed 4 outputs of an earlier call"):
        boxmask.evaluate(trained, demo, "val", pictures=tmp_path / "drawn")


@pytest.mark.parametrize(
    ("kind", "metrics"),
    [
        ("mask-rcnn", {"AP", "mask_AP"}),
        ("unet", {"mIoU", "pixel_accuracy"}),
        ("tiles", {"mIoU", "pixel_accuracy"}),
        ("classifier", {"accuracy", "mean_accuracy"}),
    ],
)
def test_every_kind_of_model_is_loaded_and_evaluated(
    runs: Runs, demo: Path, kind: str, metrics: set[str]
) -> None:
    model, photo = boxmask.load(runs(kind)), demo / "images" / "train-00001.jpg"
    result = model.predict(photo)
    assert type(model.predict([photo])[0]) is type(result)
    evaluation = boxmask.evaluate(runs(kind), demo, split="val")
    assert metrics <= set(evaluation.to_dict())
    assert all(evaluation[name] == evaluation.to_dict()[name] for name in metrics)


def test_evaluate_reads_label_maps_with_a_classes_file(runs: Runs, label_maps: Path, tmp_path: Path) -> None:
    with pytest.raises(boxmask.LabelError, match=r"classes\.txt"):
        boxmask.evaluate(runs("unet"), label_maps)
    (tmp_path / "mine.txt").write_text("background\none\n")
    evaluation = boxmask.evaluate(runs("unet"), label_maps, classes_file=str(tmp_path / "mine.txt"))
    assert evaluation.images == 4


# ---------------------------------------------------------------- predict


@pytest.mark.parametrize("form", FORMS)
def test_predict_takes_a_run_or_a_path(trained: Path, photo: Path, tmp_path: Path, form: str) -> None:
    prediction = boxmask.predict(FORMS[form](trained), photo, tmp_path / "out")
    assert prediction.photos == [photo]
    assert prediction.files == [tmp_path / "out" / "test-00023.jpg", tmp_path / "out" / "detections.json"]
    assert all(file.is_file() for file in prediction.files)
    assert isinstance(prediction.results[0], boxmask.Detections)


def test_predict_takes_one_photo_or_several_and_a_choice_of_formats(
    trained: Path, demo: Path, photo: Path, tmp_path: Path
) -> None:
    calls: list[tuple[int, int]] = []
    other = demo / "images" / "train-00001.jpg"
    prediction = boxmask.predict(
        trained, [str(photo), other], tmp_path, save=["png"], progress=lambda *done: calls.append(done)
    )
    assert prediction.files == [tmp_path / "test-00023.png", tmp_path / "train-00001.png"]
    assert calls == [(1, 2), (2, 2)]
    boxmask.predict(trained, photo, tmp_path / "text", save="png,coco")
    assert sorted(file.name for file in (tmp_path / "text").glob("[!.]*")) == [
        "detections.json",
        "test-00023.png",
    ]
    with pytest.raises(boxmask.UsageError, match="--save bmp: unknown format"):
        boxmask.predict(trained, photo, tmp_path, save="bmp")


def test_predict_writes_the_label_maps_of_a_segmenter(runs: Runs, demo: Path, tmp_path: Path) -> None:
    prediction = boxmask.predict(runs("unet"), demo / "images" / "train-00001.jpg", tmp_path)
    assert tmp_path / "label-maps" / "train-00001.png" in prediction.files
    assert sum(prediction.results[0].values()) == pytest.approx(1)


def test_predict_writes_the_classes_of_a_classifier(runs: Runs, demo: Path, tmp_path: Path) -> None:
    photo = demo / "images" / "train-00001.jpg"
    prediction = boxmask.predict(runs("classifier"), [photo], tmp_path / "out")
    assert prediction.files == [tmp_path / "out" / "classes.csv"]
    with prediction.files[0].open(newline="") as file:
        _, row = csv.reader(file)
    assert row[:2] == [photo.as_posix(), prediction.results[0].name]
    assert isinstance(prediction.results[0], boxmask.Classification)


# ---------------------------------------------------------------- the package


def python(code: str) -> list[str]:
    """The words that a new process prints."""
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return completed.stdout.split()


def test_importing_boxmask_is_quick() -> None:
    loaded = python("import sys, boxmask; print(*sys.modules)")
    heavy = {"torch", "numpy", "PIL", "timm", "numba", "cyclopts", "rich", "platformdirs"}
    assert not heavy & set(loaded)
    rooms = {name for name in loaded if name.startswith("boxmask")}
    light = ("cache_folder", "errors", "program_start", "wait_policy")
    assert rooms == {"boxmask", *(f"boxmask.{name}" for name in light)}


def test_every_public_name_is_loaded_on_first_use() -> None:
    assert {"train", "evaluate", "predict", "load"} <= set(boxmask.__all__)
    assert {"Run", "Recipe", "Detections", "Detection", "SegmentationMap", "Classification"} <= set(
        boxmask.__all__
    )
    errors = {name for name in vars(boxmask.errors) if name.endswith("Error")}
    assert errors <= set(boxmask.__all__)
    assert dir(boxmask) == sorted(boxmask.__all__)
    code = "import boxmask; print(*[getattr(boxmask, name).__name__.split('.')[-1] for name in dir(boxmask)])"
    assert python(code) == sorted(boxmask.__all__)


def test_the_public_classes_are_those_of_their_rooms() -> None:
    assert boxmask.Run is boxmask.runs.run.Run
    assert boxmask.Recipe is boxmask.runs.recipe.Recipe
    assert boxmask.Detections is boxmask.types.Detections
    assert boxmask.Detection is boxmask.types.Detection
    assert boxmask.SegmentationMap is boxmask.types.SegmentationMap
    assert boxmask.Classification is boxmask.types.Classification


def test_rooms_need_no_import() -> None:
    code = "import boxmask; print(boxmask.weights.from_torchvision.__name__, boxmask.kernels.nms.__name__)"
    code += "; print(boxmask.models.__name__, boxmask.segmenters.__name__, boxmask.classifiers.__name__)"
    rooms = ["boxmask.models", "boxmask.segmenters", "boxmask.classifiers"]
    assert python(code) == ["from_torchvision", "nms", *rooms]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        boxmask.nowhere  # noqa: B018
