"""Trainings for the tests of stages, on six photos; and one thread, because a second one would only wait."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.detectors.table import DETECTORS
from boxmask.pipeline.selective_search.search import MODES
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.stages.gradient_descent import GradientDescent
from boxmask.training.stages.plan import stages_of
from boxmask.training.state import State
from boxmask.training.train import train
from boxmask.weights.checkpoint import read_checkpoint

SEARCH = replace(MODES["single"], width=100, scales=(30,), min_box_size=4)
BLIND_SEARCH = replace(SEARCH, min_box_size=10**6)  # proposes the whole photo and nothing else

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
STAGED_MODELS = {"rcnn": "joint", "fast-rcnn": "joint", "faster-rcnn": "alternating"}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def photos_to_train(demo: Path) -> DetectionDataset:
    return read_detection(demo).split("train")


# ---------------------------------------------------------------- recipes of staged trainings


@contextmanager
def tiny_presets() -> Iterator[None]:
    """Add the presets "tiny", and "blind" whose Selective Search finds nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for model, options in TINY.items():
            patch.setitem(DETECTORS[model].presets, "tiny", options)
            patch.setitem(DETECTORS[model].presets, "blind", {**options, "search": BLIND_SEARCH})
        yield


@pytest.fixture(scope="session")
def run_files() -> set[str]:
    """The names of the files and folders in each finished run."""
    return {
        "best.safetensors",
        "last.safetensors",
        "recipe.json",
        "split.json",
        "log.jsonl",
        "curve.png",
        "samples.jpg",
        "predictions",
    }


@pytest.fixture(scope="session")
def six_photo_split(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split file with six photos to train on, and one to validate."""
    dataset = read_detection(demo)
    train = dataset.split("train").files.tolist()[:6]
    file = tmp_path_factory.mktemp("split") / "split.json"
    rest = [name for name in dataset.files.tolist() if name not in train]
    file.write_text(json.dumps({"train": train, "val": rest[:1], "test": rest[1:]}))
    return file


@pytest.fixture(scope="session")
def six_photos(demo: Path, six_photo_split: Path) -> DetectionDataset:
    return read_detection(demo, split_file=six_photo_split).split("train")


def tiny_recipe(model: str, quick: Recipe, split: Path) -> Recipe:
    """A recipe for a model's training in stages; the gradient is clipped at every step."""
    return replace(
        quick,
        model=model,
        training=STAGED_MODELS[model],  # type: ignore[arg-type]
        preset="tiny",
        clip_norm=0.1,
        split_file=split,
        on_unseen_classes="skip",
    )


@pytest.fixture
def tiny(quick: Recipe, six_photo_split: Path) -> Iterator[Callable[[str], Recipe]]:
    """The recipe of a model's training in stages, by the model's name."""
    with tiny_presets():
        yield lambda model: tiny_recipe(model, quick, six_photo_split)


# ---------------------------------------------------------------- staged trainings


class StageReport(Report):
    """Records the stages and messages. It requests a stop, as Ctrl-C does, in the middle of one stage."""

    def __init__(self, stop_in: str = "") -> None:
        super().__init__()
        self.stop_in, self.stages, self.messages = stop_in, list[str](), list[str]()

    def begin_stage(self, stage: str, number: int, num_stages: int, seconds_before: float) -> None:
        super().begin_stage(stage, number, num_stages, seconds_before)
        self.stages.append(stage)

    def message(self, text: str) -> None:
        super().message(text)
        self.messages.append(text)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        self._stop_if_due()

    def advance(self, done: int, total: int, unit: str = "photos") -> None:
        super().advance(done, total, unit)
        self._stop_if_due()

    def _stop_if_due(self) -> None:
        if self.stage == self.stop_in:
            self.stop_in = ""
            signal.raise_signal(signal.SIGINT)


class ActingReport(Report):
    """Calls a function after some steps, as Ctrl-C or a power cut would interrupt training."""

    def __init__(self, steps: int, act: Callable[[], object]) -> None:
        super().__init__()
        self.steps, self.act = steps, act

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        if clock.step == self.steps:
            self.act()


@pytest.fixture
def acting_report() -> type[ActingReport]:
    """A report that calls a function after some steps: `acting_report(steps, act)`."""
    return ActingReport


@pytest.fixture
def stage_report() -> type[StageReport]:
    """A report that records stages and messages, and can stop in one stage: `stage_report(stop_in)`."""
    return StageReport


@dataclass
class StagedTraining:
    """A training that was not stopped, with the weights at the start and at the end of its stages."""

    run: Run
    recipe: Recipe
    report: StageReport
    began: dict[str, dict[str, Tensor]] = field(default_factory=dict)  # by name; gradient descent only
    ended: list[dict[str, Tensor]] = field(default_factory=list)

    @property
    def stage_names(self) -> list[str]:
        return [stage.name for stage in stages_of(self.recipe)]


def copy_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in weights.items()}


def train_recorded(demo: Path, recipe: Recipe, folder: Path) -> StagedTraining:
    training = StagedTraining(Run(folder), recipe, StageReport())
    begin, finish = GradientDescent.begin, State.finish_stage

    def recording_begin(self: GradientDescent, session: object, minutes: float) -> None:
        begin(self, session, minutes)  # type: ignore[arg-type]
        training.began[self.name] = copy_weights(session.state.network.state_dict())  # type: ignore[attr-defined]

    def recording_finish(self: State, *, last: bool) -> None:
        finish(self, last=last)
        training.ended.append(copy_weights(self.result.state_dict()))

    with tiny_presets(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(GradientDescent, "begin", recording_begin)
        patch.setattr(State, "finish_stage", recording_finish)
        patch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
        assert train(demo, recipe, folder, training.report)[1]
    return training


@pytest.fixture(scope="session")
def _staged_trainings() -> dict[str, StagedTraining]:
    return {}


@pytest.fixture
def staged(
    demo: Path,
    tiny: Callable[[str], Recipe],
    tmp_path_factory: pytest.TempPathFactory,
    _staged_trainings: dict[str, StagedTraining],
) -> Callable[[str], StagedTraining]:
    """The staged training of a model, by its name; made once per session. Not to be changed."""

    def training(model: str) -> StagedTraining:
        if model not in _staged_trainings:
            folder = tmp_path_factory.mktemp("staged") / model
            _staged_trainings[model] = train_recorded(demo, tiny(model), folder)
        return _staged_trainings[model]

    return training


@pytest.fixture(params=list(STAGED_MODELS))
def each_staged(request: pytest.FixtureRequest, staged: Callable[[str], StagedTraining]) -> StagedTraining:
    """The staged training of each model in turn. Not to be changed."""
    return staged(request.param)


# ---------------------------------------------------------------- comparing weights


def _equal_tensors(
    ours: dict[str, Tensor], theirs: dict[str, Tensor], prefix: str | tuple[str, ...] = ""
) -> bool:
    names = [name for name in ours if name.startswith(prefix)]
    assert names
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in names)


@pytest.fixture
def equal_tensors() -> Callable[..., bool]:
    """Whether two state dicts are equal, bit for bit: `equal_tensors(ours, theirs, prefix)`."""
    return _equal_tensors


@pytest.fixture
def equal_files() -> Callable[[Path, Path], bool]:
    """Whether two checkpoints hold equal weights, bit for bit."""
    return lambda ours, theirs: _equal_tensors(read_checkpoint(ours)[0], read_checkpoint(theirs)[0])
