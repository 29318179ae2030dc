"""A recipe's "auto" settled: what is chosen, what is kept, and what is written."""

from __future__ import annotations

import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.runs.recipe import Recipe
from boxmask.tasks.table import task_of
from boxmask.training.accelerator import make_accelerator
from boxmask.training.clock import Clock
from boxmask.training.fitting import fit as fitting
from boxmask.training.fitting.fit import fit, interpolate, sizes_that_fit
from boxmask.training.fitting.limits import MIN_PASSES
from boxmask.training.fitting.probe import Measurement, Probe
from boxmask.training.progress import Report
from boxmask.training.setup import network_config, new_network
from boxmask.training.train import resume, train

MEGABYTE = 10**6


class Messages(Report):
    """Records the messages. It requests a stop, as Ctrl-C does, after `stop_after` steps."""

    def __init__(self, stop_after: int = 0) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.stop_after = stop_after

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        if clock.step == self.stop_after:
            signal.raise_signal(signal.SIGINT)

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def auto(quick: Recipe) -> Recipe:
    """The quick recipe with everything to be fitted."""
    return replace(quick, size="auto", anchors="auto", device="cpu")


@pytest.fixture(scope="module")
def labeled(demo: Path) -> DetectionDataset:
    return read_detection(demo)


def with_side(dataset: DetectionDataset, side: float, photo_side: int = 320) -> DetectionDataset:
    """The same photos, said to be squares, with a square of this side in place of each object."""
    corners = np.random.default_rng(0).uniform(0, photo_side - side, (len(dataset.boxes), 2))
    boxes = np.concatenate([corners, corners + side], axis=1).astype(np.float32)
    return replace(dataset, boxes=boxes, sizes=np.full_like(dataset.sizes, photo_side))


def fitted(dataset: Any, recipe: Recipe, **options: Any) -> tuple[Recipe, list[str]]:
    report = Messages()
    return fit(dataset, recipe, make_accelerator(recipe), report, **options), report.messages


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces the measurement: photos per second at 320 pixels, and bytes; both follow the pixels."""
    machine = {"speed": 10.0, "memory": 100 * MEGABYTE, "limit": 10**12, "seconds": None}

    class FakeProbe(Probe):
        def measure(self, sizes: list[int], seconds: float) -> dict[int, Measurement]:
            machine["seconds"] = seconds
            factors = {size: (size / 320) ** 2 for size in sizes}
            return {
                size: Measurement(factor / machine["speed"], int(factor * machine["memory"]))
                for size, factor in factors.items()
            }

    monkeypatch.setattr(fitting, "Probe", FakeProbe)
    monkeypatch.setattr(fitting, "memory_limit", lambda _: machine["limit"])
    return machine


# ---------------------------------------------------------------- what is chosen


def test_small_objects_give_a_larger_size_a_finer_level_and_anchors(
    labeled: DetectionDataset, auto: Recipe
) -> None:
    recipe, messages = fitted(with_side(labeled, 7), auto)
    config = network_config(labeled, recipe)
    assert (recipe.size, config.shorter_side, config.longer_side) == (640, 640, 1088)
    assert config.strides == (4, 8, 16, 32)
    assert len(config.anchor_sizes) == 5
    assert [message.split(":")[0] for message in messages] == ["size", "levels", "anchors"]
    assert messages[0].startswith("size: 640 px, with 100 % of the objects of an average class smaller")


def test_large_objects_keep_the_presets_size_and_levels(labeled: DetectionDataset, auto: Recipe) -> None:
    recipe, messages = fitted(with_side(labeled, 60), auto)
    assert recipe == replace(auto, size=320, anchors="preset")
    assert messages[1] == "anchors: the preset's cover 100 % of the objects of an average class at IoU 0.5"


def test_anchors_are_fitted_where_the_presets_miss_objects(labeled: DetectionDataset, auto: Recipe) -> None:
    recipe, messages = fitted(with_side(labeled, 318), auto)
    assert recipe.size == 320
    assert recipe.option_values["anchor_sizes"][-1][-1] == 318.0  # type: ignore[index]
    assert messages[1].startswith("anchors: fitted to the objects, they cover 100 % of")
    assert messages[1].endswith("(the preset's: 0 %)")


@pytest.mark.parametrize("model", ["faster-rcnn", "mask-rcnn", "retinanet", "fcos", "ssd"])
@pytest.mark.parametrize("side", [5, 20, 290])
def test_every_network_that_is_fitted_can_be_built_and_fits_again_to_the_same(
    labeled: DetectionDataset, auto: Recipe, model: str, side: int
) -> None:
    dataset, recipe = with_side(labeled, side), replace(auto, model=model)
    settled, _ = fitted(dataset, recipe)
    assert isinstance(settled.size, int)
    assert fitted(dataset, settled) == (settled, [])
    new_network(settled, network_config(dataset, settled), None, torch.device("cpu"))


def test_objects_of_two_to_four_cells_get_a_larger_size_but_no_finer_level(
    labeled: DetectionDataset, auto: Recipe
) -> None:
    recipe, messages = fitted(with_side(labeled, 20), auto)
    assert (recipe.size, recipe.option_values) == (640, {})
    assert [message.split(":")[0] for message in messages] == ["size", "anchors"]


# ---------------------------------------------------------------- time and memory


@pytest.mark.parametrize(("model", "minutes"), [("faster-rcnn", 1.45), ("retinanet", 1.95)])
def test_a_finer_level_needs_time(
    labeled: DetectionDataset, auto: Recipe, measured: dict[str, Any], model: str, minutes: float
) -> None:
    measured["speed"] = MIN_PASSES * len(labeled.split("train")) / (0.9 * 60)  # just enough in one minute
    dataset, recipe = with_side(labeled, 7, photo_side=160), replace(auto, model=model, epochs=None)
    for factor, strides in ((0.9, (8, 16, 32)), (1.0, (4, 8, 16, 32))):
        settled, _ = fitted(dataset, replace(recipe, max_minutes=factor * minutes))
        assert settled.size == 320
        assert network_config(dataset, settled).strides == strides


def test_time_limits_the_size(labeled: DetectionDataset, auto: Recipe, measured: dict[str, Any]) -> None:
    dataset, sizes = with_side(labeled, 12), {}
    photos = len(dataset.split("train"))
    for minutes in (1.0, 2.0, 3.0, 100.0):
        measured["speed"] = MIN_PASSES * photos / (0.9 * 60 * 1.0) * 1.1  # just enough in one minute
        recipe, _ = fitted(dataset, replace(auto, epochs=None, max_minutes=minutes, anchors="preset"))
        sizes[minutes] = recipe.size
    assert sizes == {1.0: 320, 2.0: 384, 3.0: 480, 100.0: 640}


def test_passes_and_minutes_are_in_the_message(
    labeled: DetectionDataset, auto: Recipe, measured: dict[str, Any]
) -> None:
    recipe = replace(auto, epochs=None, max_minutes=2.0, anchors="preset")
    _, messages = fitted(with_side(labeled, 60), recipe)
    assert messages == [
        "measuring for 10 seconds how fast this machine trains",
        "size: 320 px: 60 passes over 18 photos in your 2 minutes (384 px: 42 passes)",
    ]
    assert measured["seconds"] == 10.0


def test_a_size_that_needs_too_much_memory_is_not_chosen(
    labeled: DetectionDataset, auto: Recipe, measured: dict[str, Any]
) -> None:
    recipe = replace(auto, epochs=None, max_minutes=100.0, anchors="preset")
    measured["limit"] = 200 * MEGABYTE  # 384 pixels need 144, 480 need 225
    settled, messages = fitted(with_side(labeled, 12), recipe)
    assert settled.size == 384
    assert "note: 480 px would not fit the memory of this machine" in messages


def test_a_size_that_could_not_be_measured_does_not_fit() -> None:
    one = {320: Measurement(0.1, 1000)}
    assert sizes_that_fit([256, 320, 384, 480, 640], one, [320, 480], 10**6) == [256, 320, 384]
    assert sizes_that_fit([256, 320, 384, 480, 640], one, [320], 10**6) == [256, 320, 384, 480, 640]
    assert sizes_that_fit([256, 320, 384], one, [320, 384], 1) == [256, 320]


def test_a_short_training_measures_nothing(
    labeled: DetectionDataset, auto: Recipe, measured: dict[str, Any]
) -> None:
    recipe = replace(auto, epochs=None, max_minutes=0.4)
    assert fitted(with_side(labeled, 12), recipe)[0].size == 320
    assert measured["seconds"] is None
    fitted(with_side(labeled, 12), replace(recipe, max_minutes=0.6))
    assert measured["seconds"] == pytest.approx(3.6)  # a tenth of the training


def test_time_and_memory_between_and_beyond_the_measured_sizes() -> None:
    measured = {320: Measurement(0.1, 1000), 480: Measurement(0.2, 2000)}
    assert [interpolate(measured, size) for size in measured] == list(measured.values())
    assert 0.1 < interpolate(measured, 384).seconds < 0.2 < interpolate(measured, 640).seconds
    assert 0 < interpolate(measured, 64).seconds < 0.1
    assert interpolate({320: Measurement(0.1, 1000)}, 640) == (pytest.approx(0.4), 4000)


@settings(deadline=None)
@given(st.floats(1e-3, 10), st.floats(1e-3, 10), st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_larger_size_never_takes_less(first: float, second: float, less: int, more: int) -> None:
    """However wrong the measurements are."""
    measured = {320: Measurement(first, less), 480: Measurement(second, more)}
    expected = [interpolate(measured, size) for size in (64, 256, 320, 384, 480, 640)]
    for smaller, larger in pairwise(expected):
        assert 0 < smaller.seconds < larger.seconds
        assert smaller.memory <= larger.memory


# ---------------------------------------------------------------- what is kept


@pytest.mark.parametrize(
    "change",
    [
        {"model": "rcnn"},
        {"model": "fast-rcnn"},
        {"model": "faster-rcnn", "preset": "paper"},
        {"model": "faster-rcnn", "preset": "fpn"},
        {"model": "ssd", "preset": "300"},
        {"model": "unet"},
        {"model": "fcn", "model_options": ("tile=64",)},
        {"model": "classifier"},
    ],
    ids=str,
)
def test_where_nothing_is_known_the_presets_values_stay(
    demo: Path, auto: Recipe, change: dict[str, Any]
) -> None:
    recipe = replace(auto, **change)
    dataset = task_of(recipe.model).read(demo, recipe)
    settled = replace(recipe, size=None, anchors="preset")
    assert fitted(dataset, recipe) == (settled, [])
    assert network_config(dataset, settled) == network_config(dataset, recipe)


def test_an_inherited_network_is_not_fitted(labeled: DetectionDataset, auto: Recipe) -> None:
    settled = replace(auto, size=None, anchors="preset")
    assert fitted(with_side(labeled, 7), auto, inherited=True) == (settled, [])


@pytest.mark.parametrize(
    ("choices", "chosen"),
    [
        ({"size": 256}, ["levels", "anchors"]),
        ({"size": 256, "anchors": "preset"}, []),
        ({"anchors": "preset"}, ["size"]),
        ({"model_options": ("anchor_sizes=((8,), (16,), (32,), (64,))",)}, ["size"]),
        ({"model_options": ("shorter_side=200",)}, ["levels", "anchors"]),
        ({"model": "faster-rcnn", "training": "alternating"}, ["levels", "anchors"]),
    ],
    ids=str,
)
def test_what_the_user_gives_is_kept(
    labeled: DetectionDataset, auto: Recipe, choices: dict[str, Any], chosen: list[str]
) -> None:
    recipe, messages = fitted(with_side(labeled, 7), replace(auto, **choices))
    assert [message.split(":")[0] for message in messages] == chosen
    before = replace(auto, **choices).option_values
    assert {name: recipe.option_values[name] for name in before} == before
    if "size" in choices:
        assert recipe.size == choices["size"]


def test_a_backbone_without_a_map_of_stride_4_gets_no_finer_level(
    labeled: DetectionDataset, auto: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "backbone_strides", lambda _: [8, 16, 32])
    recipe, messages = fitted(with_side(labeled, 7), auto)
    assert "strides" not in recipe.option_values
    assert [message.split(":")[0] for message in messages] == ["size", "anchors"]


# ---------------------------------------------------------------- what is written


def test_no_random_state_changes(labeled: DetectionDataset, auto: Recipe) -> None:
    before = torch.get_rng_state()
    fitted(with_side(labeled, 7), auto)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_run_holds_the_choice_and_resumes_with_it(demo: Path, auto: Recipe, tmp_path: Path) -> None:
    began, resumed = Messages(stop_after=1), Messages()
    run, finished = train(demo, replace(auto, batch_size=9), tmp_path / "run", began)
    assert not finished
    recipe = run.recipe
    assert isinstance(recipe.size, int)
    assert recipe.anchors == "preset"
    assert resume(run, report=resumed)
    for start in ("size: ", "anchors: "):
        assert any(message.startswith(start) for message in began.messages)
        assert not any(message.startswith(start) for message in resumed.messages)
    assert run.recipe == recipe
    assert run.model("cpu").config == network_config(read_detection(demo), recipe)
