"""Forecasts from end to end, on a small data set."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.errors import OutputError, UsageError
from boxmask.forecasting import trainings
from boxmask.forecasting.folder import ForecastFolder
from boxmask.forecasting.forecast import default_folder, forecast
from boxmask.forecasting.options import ForecastOptions
from boxmask.forecasting.report import Forecast
from boxmask.forecasting.save import save_forecast
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run


@pytest.fixture
def options(quick: Recipe) -> ForecastOptions:
    return ForecastOptions(quick, more=(5, 10), draws=1)


@pytest.fixture
def done(forecast_of_demo: Forecast, tmp_path: Path) -> Path:
    """A copy of the folder of a finished forecast."""
    return Path(shutil.copytree(forecast_of_demo.folder, tmp_path / "copy"))


def test_parts_grow_and_are_evaluated_on_the_same_photos(forecast_of_demo: Forecast) -> None:
    assert [training.photos for training in forecast_of_demo.trainings] == [18, 4, 9]
    assert forecast_of_demo.evaluated == 4
    splits = [
        json.loads(Run(run).split_file.read_text()) for run in forecast_of_demo.folder.glob("trainings/*/run")
    ]
    assert len({(*split["val"], "|", *split["test"]) for split in splits}) == 1
    assert sorted(len(split["train"]) for split in splits) == [4, 9, 18]
    assert all(len(split["train"]) + len(split.get("unused", [])) == 18 for split in splits)


def test_every_training_has_as_many_steps(forecast_of_demo: Forecast) -> None:
    steps = {}
    for training in forecast_of_demo.trainings:
        run = Run(forecast_of_demo.folder / "trainings" / f"{training.photos:04d}-photos-1" / "run")
        assert run.recipe.epochs is not None
        steps[training.photos] = run.recipe.epochs * training.photos
    assert steps == {18: 18, 9: 18, 4: 16}


def test_the_files_say_what_the_report_says(forecast_of_demo: Forecast) -> None:
    folder = forecast_of_demo.folder
    content = json.loads((folder / "forecast.json").read_text())
    assert content == json.loads(forecast_of_demo.to_json())
    assert content["overall"]["forecast"][1]["photos"] == 28
    assert content["training_photos"] == 18
    with (folder / "forecast.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["more"] for row in rows if not row["class"]] == ["0", "5", "10"]
    assert Image.open(folder / "forecast.png").format == "PNG"
    assert (folder / "forecast.svg").read_text().startswith("<?xml")
    shown = str(forecast_of_demo).replace("\n", " ")
    assert "AP on 4 test photos" in " ".join(shown.split())
    assert "The models have hardly learned anything (AP 0.0" in shown  # one pass teaches them nothing


def test_the_same_call_trains_nothing_again(
    done: Path, demo: Path, options: ForecastOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> bool:
        raise AssertionError

    monkeypatch.setattr(trainings, "train_or_resume", refuse)
    before = (done / "forecast.json").read_bytes()
    again = forecast(demo, options, done)
    assert (done / "forecast.json").read_bytes() == before
    assert forecast(demo, replace(options, more=(7,)), done).overall.outlooks[0].photos == 25
    assert again.trainings == forecast(demo, options, done).trainings


def test_a_stopped_forecast_finishes_with_the_same_table(
    forecast_of_demo: Forecast,
    done: Path,
    demo: Path,
    options: ForecastOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, real, calls = ForecastFolder(done), trainings.train_or_resume, []
    for name in ("0004-photos-1", "0009-photos-1"):
        shutil.rmtree(folder.run(name).parent)
        folder.evaluation_file(name).unlink()

    def stop_at_second(*arguments: Any) -> bool:
        calls.append(arguments)
        return len(calls) < 2 and real(*arguments)

    monkeypatch.setattr(trainings, "train_or_resume", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        forecast(demo, options, done)
    assert folder.evaluation_file("0004-photos-1").is_file()
    monkeypatch.setattr(trainings, "train_or_resume", real)
    assert forecast(demo, options, done).to_dict() == forecast_of_demo.to_dict()


def test_other_settings_and_other_folders_are_refused(
    done: Path, demo: Path, options: ForecastOptions, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"other settings or labels \(flip: 0\.5 there, 0\.0 here\)"):
        forecast(demo, replace(options, recipe=replace(options.recipe, flip=0.0)), done)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").touch()
    with pytest.raises(UsageError, match=r"files of something else, such as diary\.txt"):
        forecast(demo, options, tmp_path / "mine")


def test_a_damaged_evaluation_is_named(done: Path, demo: Path, options: ForecastOptions) -> None:
    file = ForecastFolder(done).evaluation_file("0004-photos-1")
    file.write_text("{")
    with pytest.raises(OutputError, match=r"0004-photos-1\.json: this file is damaged"):
        forecast(demo, options, done)


def test_class_names_that_are_no_text_are_written(forecast_of_demo: Forecast, tmp_path: Path) -> None:
    name = next(iter(forecast_of_demo.per_class))
    trainings_of = tuple(
        replace(each, per_class={"\ud83d": each.per_class[name]}) for each in forecast_of_demo.trainings
    )
    curves = {"\ud83d": forecast_of_demo.per_class[name]}
    save_forecast(
        replace(forecast_of_demo, trainings=trainings_of, per_class=curves), ForecastFolder(tmp_path)
    )
    assert "\\ud83d," in (tmp_path / "forecast.csv").read_text()


def test_photos_to_label_next(done: Path, demo: Path, options: ForecastOptions, tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    pool.mkdir()
    labeled = next(iter((demo / "images").glob("train-*.jpg")))
    shutil.copy(labeled, pool / "labeled already.jpg")
    for number in range(5):
        Image.new("RGB", (64, 48), (50 * number, 90, 200 - 40 * number)).save(pool / f"{number}.jpg")
    (pool / "broken.jpg").write_bytes(b"no photo")
    asked = replace(options, pool=pool, label_next=3)
    chosen = forecast(demo, asked, done).label_next
    assert chosen is not None
    assert len(chosen.photos) == 3
    assert chosen.pool == 5
    with (done / "label-next.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["photo"] for row in rows] == [str(one.photo) for one in chosen.photos]
    assert Image.open(done / "label-next.jpg").size[0] == 1600
    lines = (done / "pool.jsonl").read_bytes()
    assert forecast(demo, asked, done).label_next == chosen
    assert (done / "pool.jsonl").read_bytes() == lines


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"more": ()}, "--more: expected 1 or more, found nothing"),
        ({"draws": 0}, "--draws: expected 1 or more, found 0"),
    ],
)
def test_values_out_of_range_are_refused(quick: Recipe, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ForecastOptions(quick, **changes)


def test_the_default_folder_names_data_and_model(demo: Path, quick: Recipe) -> None:
    assert default_folder(demo, quick) == Path("forecasts/digits-faster-rcnn")
    assert default_folder(Path("labels/my.json"), quick) == Path("forecasts/my-faster-rcnn")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "metric"), [("mask-rcnn", "mask_AP"), ("unet", "mIoU"), ("classifier", "accuracy")]
)
def test_every_task(
    recipes: dict[str, Recipe], demo: Path, tmp_path: Path, scene: Any, kind: str, metric: str
) -> None:
    pool = tmp_path / "pool"
    pool.mkdir()
    for number in range(3):
        scene(number).save(pool / f"{number}.jpg")
    options = ForecastOptions(recipes[kind], more=(10,), draws=1, pool=pool, label_next=2)
    result = forecast(demo, options, tmp_path / "forecast")
    assert result.metric == metric
    assert [training.photos for training in result.trainings] == [18, 4, 9]
    assert result.overall.outlooks[0].photos == 28
    assert result.per_class
    assert result.label_next is not None
    assert len(result.label_next.photos) == 2
