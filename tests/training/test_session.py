"""The order of the stages and their shares of the time, with stages that only record their calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training import clock
from boxmask.training.clock import Clock
from boxmask.training.session import Session, run_stages, stage_minutes
from boxmask.training.state import State
from boxmask.training.validation_plan import Validations


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, as a list of one number to set."""
    shown = [100.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: shown[0])
    return shown


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The current stage at each save."""
    stages: list[int] = []
    for kind in ("save", "save_to_resume"):
        monkeypatch.setattr(State, kind, lambda state, run: stages.append(state.stage))
    return stages


def session_of(**choices: Any) -> Session:
    state = State("m", nn.Linear(1, 1), None, None, Clock(None, 0.0), "", {})  # type: ignore[arg-type]
    parts: dict[str, Any] = dict.fromkeys(("task", "train", "val", "accelerator", "stop", "new_network"))
    parts["run"] = Run(Path("nowhere"))
    report = SimpleNamespace(begin_stage=lambda *_: None, send_rows=lambda: None)
    return Session(state=state, recipe=Recipe(**choices), report=report, **parts)  # type: ignore[arg-type]


@dataclass
class RecordingStage:
    """A stage that takes `seconds`, and records the minutes that it is given."""

    wall: list[float]
    seconds: float
    time_share: float
    name: str = "a stage"
    with_validation: bool = False
    needed: float = 0.0
    finishes: bool = True
    minutes: list[float] = field(default_factory=list)
    fitted: int = 0

    def begin(self, session: Session, minutes: float) -> None:
        self.minutes.append(minutes)
        session.state.begin_stage(Clock(None, minutes))

    def seconds_needed(self, session: Session) -> float:
        return self.needed

    def fit(self, session: Session) -> bool:
        self.wall[0] += self.seconds
        self.fitted += 1
        return self.finishes


def test_stages_share_the_time_left(wall: list[float], saves: list[int]) -> None:
    """After a search of 1 minute, 9 are left: 6 and 3. The first stage takes 7, leaving 2 to the second."""
    stages = [RecordingStage(wall, 60, 0.0), RecordingStage(wall, 7 * 60, 1.0), RecordingStage(wall, 60, 0.5)]
    session = session_of(max_minutes=10)
    assert run_stages(stages, session, resumed=False)
    assert [stage.minutes for stage in stages] == [[0.0], [6.0], [2.0]]
    assert session.state.seconds == 9 * 60


def test_every_stage_gets_a_little_time(wall: list[float], saves: list[int]) -> None:
    """Of ten minutes, 7.5 and 2.5 are planned for two stages. A search of eleven minutes leaves none."""
    stages = [RecordingStage(wall, 660, 0.0), RecordingStage(wall, 1, 3.0), RecordingStage(wall, 1, 1.0)]
    run_stages(stages, session_of(max_minutes=10), resumed=False)
    assert [stage.minutes for stage in stages] == [[0.0], [0.25], [0.25]]


def test_the_time_that_a_later_stage_needs_is_set_aside(wall: list[float], saves: list[int]) -> None:
    """Of 10 minutes, the proposals between two steps take 4."""
    stages = [
        RecordingStage(wall, 180, 1.0),
        RecordingStage(wall, 240, 0.0, needed=240.0),
        RecordingStage(wall, 180, 1.0),
    ]
    session = session_of(max_minutes=10)
    run_stages(stages, session, resumed=False)
    assert [stage.minutes for stage in stages] == [[3.0], [0.0], [3.0]]


def test_planned_validations_are_set_aside(wall: list[float], saves: list[int]) -> None:
    session = session_of(max_minutes=10)
    session.state.validations = Validations(planned=3, photos=10, seconds_per_photo=1.0, seconds=12.0)
    assert session.seconds_left() == 600 - 12 - 30
    session.state.num_validated = 2
    assert session.seconds_left() == 600 - 12 - 10
    session.state.num_validated = 3
    assert session.seconds_left() == 600 - 12 - 10  # the one at the end remains, wherever it is counted


def test_a_validation_that_fails_stops_the_clock_and_is_counted(wall: list[float]) -> None:
    session = session_of(max_minutes=10)

    def validate() -> None:
        with session.timed_validation():
            wall[0] += 30
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        validate()
    wall[0] += 1
    assert (session.state.seconds, session.state.validations.seconds) == (1, 30)


def test_a_validation_stops_the_clock_and_is_counted(wall: list[float]) -> None:
    session = session_of(max_minutes=10)
    wall[0] += 7
    with session.timed_validation() as inner:
        wall[0] += 30
        assert inner.seconds == 30
    wall[0] += 1
    assert (session.state.seconds, session.state.validations.seconds) == (8, 30)


def test_with_epochs_there_is_no_time_to_share(wall: list[float]) -> None:
    session = session_of(epochs=3)
    assert session.seconds_left() is None
    assert stage_minutes([RecordingStage(wall, 1, 1.0)], 0, session) == 0


def test_a_single_stage_gets_all_of_the_time(wall: list[float]) -> None:
    assert stage_minutes([RecordingStage(wall, 1, 0.3)], 0, session_of()) == 10


def test_the_state_is_saved_when_a_stage_begins(wall: list[float], saves: list[int]) -> None:
    stages = [RecordingStage(wall, 1, 1.0) for _ in range(3)]
    run_stages(stages, session_of(), resumed=False)
    assert saves == [0, 1, 2]


def test_a_stop_saves_the_state_and_skips_later_stages(wall: list[float], saves: list[int]) -> None:
    stages = [
        RecordingStage(wall, 1, 1.0),
        RecordingStage(wall, 1, 1.0, finishes=False),
        RecordingStage(wall, 1, 1.0),
    ]
    assert not run_stages(stages, session_of(), resumed=False)
    assert saves == [0, 1, 1]
    assert [stage.fitted for stage in stages] == [1, 1, 0]


def test_a_resumed_stage_is_not_begun_again(wall: list[float], saves: list[int]) -> None:
    stages = [RecordingStage(wall, 1, 1.0) for _ in range(3)]
    session = session_of()
    session.state.stage = 1
    assert run_stages(stages, session, resumed=True)
    assert [(len(stage.minutes), stage.fitted) for stage in stages] == [(0, 0), (0, 1), (1, 1)]


def test_the_seconds_of_a_finished_stage_count_once(wall: list[float]) -> None:
    state = session_of().state
    state.begin_stage(Clock(None, 1.0))
    wall[0] += 30
    state.finish_stage(last=False)
    assert (state.stage, state.seconds) == (1, 30)
    wall[0] += 5
    state.begin_stage(Clock(None, 1.0))
    assert state.seconds == 30
    wall[0] += 12
    state.finish_stage(last=True)
    assert (state.stage, state.seconds) == (2, 42)


def test_the_next_stage_starts_from_the_averaged_weights(tmp_path: Path) -> None:
    from boxmask.training.optimizer import make_average

    state = session_of().state
    state.average = make_average(state.network, 0.9)
    nn.init.constant_(state.average.module.weight, 7.0)
    state.finish_stage(last=False)
    assert state.average is None
    assert state.network.state_dict()["weight"].item() == 7
