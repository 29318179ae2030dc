"""Whole trainings in stages, on six photos: in order, stopped anywhere, killed anywhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.detectors.fast_rcnn import FastRCNN
from boxmask.detectors.rcnn import RCNN
from boxmask.detectors.table import DETECTORS
from boxmask.errors import TrainingError, UsageError
from boxmask.evaluation.detection.detect import detect_all
from boxmask.pipeline.selective_search import cache as proposal_cache
from boxmask.pipeline.selective_search.search import MODES
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.clock import Clock
from boxmask.training.loader import TrainingBatch
from boxmask.training.progress import Report
from boxmask.training.rcnn import stages as region_stages
from boxmask.training.stages.gradient_descent import GradientDescent, Trainable
from boxmask.training.stages.plan import stages_of
from boxmask.training.state import State
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import load_detector, read_checkpoint

SEARCH = replace(MODES["single"], width=100, scales=(30,), min_box_size=4)
BLIND = replace(SEARCH, min_box_size=10**6)  # gives the whole photo and nothing else

TINY: dict[str, dict[str, object]] = {
    "rcnn": {
        "search": SEARCH,
        "region_size": 32,
        "context": 2,
        "hidden": 16,
        "positives_per_batch": 4,
        "negatives_per_batch": 8,
    },
    "fast-rcnn": {"search": SEARCH, "stride": 8, "hidden": 16},
    "faster-rcnn": {
        "channels": 16,
        "rpn_channels": 16,
        "hidden": 16,
        "train_proposals": (50, 50),
        "test_proposals": (50, 50),
    },
}
WAYS = {"rcnn": "joint", "fast-rcnn": "joint", "faster-rcnn": "alternating"}


@pytest.fixture(scope="module", autouse=True)
def _presets() -> Iterator[None]:
    """The presets "tiny", and "blind" whose Selective Search finds nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for model, numbers in TINY.items():
            patch.setitem(DETECTORS[model].presets, "tiny", numbers)
            patch.setitem(DETECTORS[model].presets, "blind", {**numbers, "search": BLIND})
        yield


@pytest.fixture(scope="module")
def split(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos to train, one to validate."""
    dataset = read_detection(demo)
    train = dataset.split("train").files.tolist()[:6]
    file = tmp_path_factory.mktemp("split") / "split.json"
    rest = [name for name in dataset.files.tolist() if name not in train]
    file.write_text(json.dumps({"train": train, "val": rest[:1], "test": rest[1:]}))
    return file


@pytest.fixture(scope="module")
def small(quick: Recipe, split: Path) -> Callable[[str], Recipe]:
    """The recipe of a model's training in its stages; gradients are cut at every step."""

    def recipe(model: str) -> Recipe:
        way = {"model": model, "training": WAYS[model], "preset": "tiny"}
        data = {"split_file": split, "on_unseen_classes": "skip"}
        return replace(quick, clip_norm=0.1, **way, **data)  # type: ignore[arg-type]

    return recipe


class Watching(Report):
    """Notes the stages and what is said; asks for a stop, as Ctrl-C does, in the middle of one stage."""

    def __init__(self, stop_in: str = "") -> None:
        super().__init__()
        self.stop_in, self.stages, self.said = stop_in, list[str](), list[str]()

    def begin(self, stage: str, number: int, stages: int, seconds_before: float) -> None:
        super().begin(stage, number, stages, seconds_before)
        self.stages.append(stage)

    def say(self, text: str) -> None:
        super().say(text)
        self.said.append(text)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        self._stop()

    def count(self, done: int, total: int, what: str = "photos") -> None:
        super().count(done, total, what)
        self._stop()

    def _stop(self) -> None:
        if self.stage == self.stop_in:
            self.stop_in = ""
            signal.raise_signal(signal.SIGINT)


@dataclass
class Pretrained:
    """A training that nobody stopped; the weights with which each stage began and ended, by its name."""

    run: Run
    recipe: Recipe
    report: Watching
    began: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    ended: list[dict[str, Tensor]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [stage.name for stage in stages_of(self.recipe)]


def copied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in weights.items()}


def trained_whole(demo: Path, recipe: Recipe, folder: Path) -> Pretrained:
    made = Pretrained(Run(folder), recipe, Watching())
    begin, finish = GradientDescent.begin, State.finish_stage

    def noted_begin(self: GradientDescent, session: object, minutes: float) -> None:
        begin(self, session, minutes)  # type: ignore[arg-type]
        made.began[self.name] = copied(session.state.network.state_dict())  # type: ignore[attr-defined]

    def noted_finish(self: State, *, last: bool) -> None:
        finish(self, last=last)
        made.ended.append(copied(self.result.state_dict()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GradientDescent, "begin", noted_begin)
        patch.setattr(State, "finish_stage", noted_finish)
        patch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
        assert train(demo, recipe, folder, made.report)[1]
    return made


@pytest.fixture(scope="module")
def wholes(
    demo: Path, small: Callable[[str], Recipe], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Pretrained]:
    """A model's training that nobody stopped, made once."""
    made: dict[str, Pretrained] = {}

    def whole(model: str) -> Pretrained:
        if model not in made:
            made[model] = trained_whole(demo, small(model), tmp_path_factory.mktemp("whole") / model)
        return made[model]

    return whole


@pytest.fixture(params=list(WAYS))
def whole(request: pytest.FixtureRequest, wholes: Callable[[str], Pretrained]) -> Pretrained:
    """Of each model in turn. Not to be changed."""
    return wholes(request.param)


@pytest.fixture(scope="module")
def six(demo: Path, split: Path) -> DetectionDataset:
    return read_detection(demo, split_file=split).split("train")


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor], start: str | tuple[str, ...] = "") -> bool:
    """Whether the tensors whose names start so are the same, bit for bit."""
    names = [name for name in ours if name.startswith(start)]
    assert names
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in names)


def same_files(one: Path, other: Path) -> bool:
    return same(read_checkpoint(one)[0], read_checkpoint(other)[0])


# ---------------------------------------------------------------- whole trainings


def test_the_stages_come_in_the_papers_order(whole: Pretrained) -> None:
    fast = ["Selective Search", "normalizing targets", "training"]
    regions = ["features of all regions", "SVMs", "box regressors"]
    expected = {
        "rcnn": ["Selective Search", "fine-tuning", *regions],
        "fast-rcnn": fast,
        "faster-rcnn": [
            *("step 1: RPN", "RPN's proposals", "step 2: Fast R-CNN"),
            *("step 3: RPN, shared layers kept", "RPN's new proposals"),
            "step 4: Fast R-CNN, shared layers kept",
        ],
    }
    assert whole.report.stages == expected[whole.recipe.model]


LOSSES = {
    "fine-tuning": {"region_class"},
    "training": {"roi_class", "roi_box"},
    "step 1: RPN": {"rpn_objectness", "rpn_box"},
    "step 2: Fast R-CNN": {"roi_class", "roi_box"},
    "step 3: RPN, shared layers kept": {"rpn_objectness", "rpn_box"},
    "step 4: Fast R-CNN, shared layers kept": {"roi_class", "roi_box"},
}


def test_the_log_tells_the_stages_apart(whole: Pretrained) -> None:
    rows = [json.loads(line) for line in whole.run.log_file.read_text().splitlines()]
    descents = [name for name in whole.names if name in LOSSES]
    steps = [(row["stage"], row["step"]) for row in rows if "val" not in row]
    assert steps == [(name, step) for name in descents for step in (1, 2, 3)]
    for row in rows[:-1]:
        parts = set(row) - {"stage", "step", "minutes", "images_per_second"}
        assert parts == LOSSES[row["stage"]]
    assert [row["minutes"] for row in rows] == sorted(row["minutes"] for row in rows)
    assert "val" in rows[-1]
    assert rows[-1]["stage"] == whole.names[-1]


def test_the_run_is_clean_afterwards(whole: Pretrained) -> None:
    files = {path.name for path in whole.run.path.iterdir()}
    expected = {"best.safetensors", "last.safetensors", "recipe.json", "split.json", "log.jsonl", "curve.png"}
    assert files - {"notes.txt"} == expected
    assert whole.run.finished
    Image.open(whole.run.curve_file).load()


def test_the_detector_is_what_the_last_stage_left(whole: Pretrained, six: DetectionDataset) -> None:
    detector = load_detector(whole.run.path)
    assert same(detector.state_dict(), whole.ended[-1])
    assert detector.predict(six.path(0)).class_names == six.class_names


def test_every_stage_of_rcnn_leaves_its_mark(wholes: Callable[[str], Pretrained]) -> None:
    _, tuned, described, svms, regressors = wholes("rcnn").ended
    assert not same(wholes("rcnn").began["fine-tuning"], tuned, "backbone.")
    assert same(tuned, described)
    changed = {name for name in svms if not torch.equal(svms[name], described[name])}
    assert changed == {"svm_weights", "svm_biases", "calibration", "fitted"}
    changed = {name for name in svms if not torch.equal(svms[name], regressors[name])}
    assert changed == {"regressor_weights", "regressor_biases"}


def test_fast_rcnns_targets_are_normalized_before_it_learns(wholes: Callable[[str], Pretrained]) -> None:
    _, normalized, learned = wholes("fast-rcnn").ended
    fresh = FastRCNN(load_detector(wholes("fast-rcnn").run.path).config).state_dict()
    assert not same(normalized, fresh, "delta_")
    assert same(wholes("fast-rcnn").began["training"], normalized)
    assert same(learned, normalized, "delta_")


SHARED = ("backbone.", "fpn.")


def test_each_step_of_alternating_training_moves_its_own_layers(wholes: Callable[[str], Pretrained]) -> None:
    first, proposed, second, third, again, fourth = wholes("faster-rcnn").ended
    start = wholes("faster-rcnn").began["step 1: RPN"]
    assert not same(first, start, SHARED)
    assert not same(first, start, "rpn_head.")
    assert same(first, start, "box_head.")
    assert same(proposed, first)
    assert not same(second, start, SHARED)
    assert not same(second, start, "box_head.")
    assert same(second, first, "rpn_head.")
    assert same(third, second, (*SHARED, "box_head."))
    assert not same(third, second, "rpn_head.")
    assert same(again, third)
    assert same(fourth, third, (*SHARED, "rpn_head."))
    assert not same(fourth, third, "box_head.")


def test_the_second_step_starts_from_fresh_shared_layers(wholes: Callable[[str], Pretrained]) -> None:
    began = wholes("faster-rcnn").began
    assert same(began["step 2: Fast R-CNN"], began["step 1: RPN"], (*SHARED, "box_head."))
    assert same(began["step 2: Fast R-CNN"], wholes("faster-rcnn").ended[0], "rpn_head.")


# ---------------------------------------------------------------- stopping, killing and going on


def test_stopped_in_every_stage_it_goes_on_to_the_same_weights(
    whole: Pretrained, demo: Path, tmp_path: Path
) -> None:
    run, finished = train(demo, whole.recipe, tmp_path / "run", Watching(whole.names[0]))
    assert not finished
    for number, name in enumerate(whole.names[1:], start=1):
        assert State.saved_stage(run) == number - 1
        load_detector(run.path)
        report = Watching(name)
        assert not resume(run, report=report)
        assert report.stages == whole.names[number - 1 : number + 1]
    assert resume(run)
    assert same_files(run.last_checkpoint, whole.run.last_checkpoint)
    assert same_files(run.best_checkpoint, whole.run.best_checkpoint)
    assert not run.intermediate.exists()
    assert not run.resume_file.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from boxmask.detectors.table import DETECTORS
from boxmask.training.rcnn import stages as region_stages
from boxmask.runs.run import Run, read_recipe
from boxmask.training.train import train

sys.path.insert(0, {here!r})
from test_stages import TINY

describe = region_stages._describe

def killed(session, detector, features, photo):
    if photo == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    describe(session, detector, features, photo)

region_stages._describe = killed
DETECTORS["rcnn"].presets["tiny"] = TINY["rcnn"]
torch.set_num_threads(1)
train({demo!r}, read_recipe(Run(Path({model!r})))[0], Path({run!r}))
"""


def test_killed_while_it_describes_regions_it_goes_on_to_the_same_weights(
    wholes: Callable[[str], Pretrained], demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, run = wholes("rcnn"), Run(tmp_path / "run")
    here = str(Path(__file__).parent)
    program = KILLED.format(here=here, demo=str(demo), model=str(whole.run.path), run=str(run.path))
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", program], env={**os.environ, **threads}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert json.loads((run.intermediate / "features" / "done.json").read_text())["photos"] == 3
    load_detector(run.path)
    described, proper = list[int](), region_stages._describe
    monkeypatch.setattr(
        region_stages, "_describe", lambda *given: (described.append(given[3]), proper(*given))
    )
    assert resume(run)
    assert described == [3, 4, 5]
    assert same_files(run.last_checkpoint, whole.run.last_checkpoint)


class Broken(RuntimeError):
    """The power is cut."""


def test_killed_before_it_tidied_up_it_goes_on_to_the_same_weights(
    whole: Pretrained, demo: Path, tmp_path: Path
) -> None:
    def power_cut(self: Run) -> None:
        raise Broken

    run = Run(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "remove_leftovers", power_cut)
        with pytest.raises(Broken):
            train(demo, whole.recipe, run.path)
    assert resume(run)
    assert same_files(run.last_checkpoint, whole.run.last_checkpoint)
    assert not run.intermediate.exists()


def test_alternating_training_goes_on_where_the_photos_have_moved(
    wholes: Callable[[str], Pretrained], demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named from another folder at first, then in another place: the RPN's proposals are theirs all along."""
    whole = wholes("faster-rcnn")
    shutil.copytree(demo, tmp_path / "old")
    monkeypatch.chdir(tmp_path)
    run, _ = train(Path("old"), whole.recipe, tmp_path / "run", Watching("step 2: Fast R-CNN"))
    assert not resume(run, report=Watching("step 3: RPN, shared layers kept"))
    (tmp_path / "old").rename(tmp_path / "new")
    assert not resume(run, tmp_path / "new", Watching("step 4: Fast R-CNN, shared layers kept"))
    assert resume(run, tmp_path / "new")
    assert same_files(run.last_checkpoint, whole.run.last_checkpoint)


# ---------------------------------------------------------------- what there is to say


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn"])
def test_alternating_training_is_of_faster_rcnn(
    demo: Path, small: Callable[[str], Recipe], tmp_path: Path, model: str
) -> None:
    with pytest.raises(UsageError, match=f"a way of faster-rcnn alone, not of {model}"):
        train(demo, replace(small(model), training="alternating"), tmp_path / "deep" / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn"])
def test_proposals_that_reach_nothing_are_warned_of(
    demo: Path, small: Callable[[str], Recipe], six: DetectionDataset, tmp_path: Path, model: str
) -> None:
    report = Watching()
    assert train(demo, replace(small(model), preset="blind"), tmp_path / "run", report)[1]
    assert "proposals: 1 a photo reach 0.0% of the training objects at IoU 0.5, 0.0% at 0.7" in report.said
    seen = [six.class_names[label] for label in np.unique(six.labels)]
    (warning,) = [text for text in report.said if "no proposal reaches" in text]
    assert f"any training object of {', '.join(seen)} at IoU 0.5" in warning
    assert "--model faster-rcnn" in warning


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn"])
def test_classes_with_a_single_example_are_warned_of(
    wholes: Callable[[str], Pretrained], six: DetectionDataset, model: str
) -> None:
    counts = np.bincount(six.labels, minlength=len(six.class_names))
    single = [name for name, count in zip(six.class_names, counts, strict=True) if count == 1]
    assert single  # in these six photos there are such
    said = wholes(model).report.said
    assert f"warning: a single training example of {', '.join(single)}: label more of them." in said


def test_rcnn_learns_classes_with_a_single_example(
    wholes: Callable[[str], Pretrained], six: DetectionDataset
) -> None:
    detector = load_detector(wholes("rcnn").run.path)
    assert isinstance(detector, RCNN)
    counts = torch.from_numpy(np.bincount(six.labels, minlength=len(six.class_names)))
    learned = (detector.svm_weights != 0).any(dim=1)
    assert learned[counts == 1].all()
    assert torch.equal(learned, counts > 0)
    assert all(bool(tensor.isfinite().all()) for tensor in detector.state_dict().values())


# ---------------------------------------------------------------- time


def test_minutes_end_a_training_in_stages_too(
    wholes: Callable[[str], Pretrained], demo: Path, tmp_path: Path
) -> None:
    """The search, which takes as long as it takes, is done already."""
    recipe = replace(wholes("rcnn").recipe, epochs=None, max_minutes=2 / 60)
    report = Watching()
    run, finished = train(demo, recipe, tmp_path / "run", report)
    assert finished
    assert len(report.stages) == 5
    assert 1 <= read_checkpoint(run.last_checkpoint)[1].training["seconds"] < 20


def test_a_search_that_took_all_the_time_is_said(
    demo: Path, small: Callable[[str], Recipe], tmp_path: Path
) -> None:
    recipe = replace(small("fast-rcnn"), epochs=None, max_minutes=1e-9)
    with pytest.raises(TrainingError, match="Selective Search took all of the 1e-09 minutes"):
        train(demo, recipe, tmp_path / "run")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- proposals


def test_a_photo_is_searched_once_for_training_and_evaluation(
    demo: Path, small: Callable[[str], Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))
    searches: list[object] = []
    search = proposal_cache.selective_search
    monkeypatch.setattr(
        proposal_cache, "selective_search", lambda *given: (searches.append(given), search(*given))[1]
    )
    run, _ = train(demo, small("fast-rcnn"), tmp_path / "run")
    dataset = read_detection(demo, split_file=run.split_file)
    assert len(searches) == len(list((tmp_path / "cache").rglob("*.npy"))) == 7
    detector = load_detector(run.path)
    found = detect_all(detector, dataset.split("val"))
    assert len(searches) == 7
    path = dataset.split("val").path(0)
    proposals = proposal_cache.ProposalCache(SEARCH).boxes(path)
    assert torch.equal(found[0].boxes, detector.predict(path, proposals=proposals).boxes)


def test_a_step_without_any_proposals_does_not_search_for_its_own() -> None:
    """Zoomed in, photos may lose all of theirs; the RPN's losses or a search would come in their place."""
    asked: list[dict[str, object]] = []

    class Asked(torch.nn.Module):
        def loss(self, images: object, targets: object, **boxes: object) -> dict[str, Tensor]:
            asked.append(boxes)
            return {}

    none = [torch.zeros(0, 4)]
    Trainable(Asked())(TrainingBatch([], [], none, [0]))  # type: ignore[arg-type]
    Trainable(Asked())(TrainingBatch([], [], None, [0]))  # type: ignore[arg-type]
    assert asked == [{"proposals": none}, {}]
