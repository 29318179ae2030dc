import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from boxmask.training import progress
from boxmask.training.clock import Clock
from boxmask.training.progress import Report, forget_after


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that is read, to be set."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def on_paper() -> tuple[Report, io.StringIO]:
    """A report where there is no terminal, and what it says."""
    paper = io.StringIO()
    return Report(Console(file=paper, width=200)), paper


def steps(report: Report, clock: Clock, wall: list[float], count: int, seconds: float = 1.0) -> None:
    for _ in range(count):
        wall[0] += seconds
        clock.step += 1
        report.step(clock, {"roi_class": 2.0, "rpn_box": 0.5}, images=4)


def test_without_a_terminal_a_line_comes_now_and_then(wall: list[float]) -> None:
    report, paper = on_paper()
    with report:
        steps(report, Clock(100, 0.0), wall, 70)
    lines = paper.getvalue().strip().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("31 %  loss 2.500 (roi_class 2.000  rpn_box 0.500)  4.0 images/s  ")
    assert lines[0].endswith(" min left")


def test_the_speed_is_of_the_last_steps(wall: list[float]) -> None:
    report, _ = on_paper()
    clock = Clock(1000, 0.0)
    assert report.images_per_second() == 0
    steps(report, clock, wall, 30, seconds=8.0)
    assert report.images_per_second() == pytest.approx(0.5)
    steps(report, clock, wall, 20, seconds=2.0)
    assert report.images_per_second() == pytest.approx(2.0)


def test_the_log_has_a_line_every_few_seconds(wall: list[float], tmp_path: Path) -> None:
    report, _ = on_paper()
    report.log = tmp_path / "log.jsonl"
    steps(report, Clock(100, 0.0), wall, 13)
    rows = [json.loads(line) for line in report.log.read_text().splitlines()]
    assert [row["step"] for row in rows] == [6, 12]
    assert set(rows[0]) == {"stage", "step", "minutes", "roi_class", "rpn_box", "images_per_second"}


def test_braces_and_brackets_are_said_as_they_are() -> None:
    report, paper = on_paper()
    report.say("photos in [red]/{0}")
    assert paper.getvalue() == "photos in [red]/{0}\n"


def test_what_comes_after_a_step_is_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    kept = [
        '{"stage": "first", "step": 9}',
        '{"stage": "x", "step": 3}',
        '{"stage": "x", "step": 5, "val": {}}',
    ]
    log.write_text("\n".join([*kept, '{"stage": "x", "step": 6}', ""]))
    forget_after(log, "x", 5)
    assert log.read_text() == "\n".join([*kept, ""])


def test_a_line_that_was_cut_short_is_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"stage": "x", "step": 3}\n{"ste')
    forget_after(log, "x", 5)
    assert log.read_text() == '{"stage": "x", "step": 3}\n'


def test_a_training_without_a_log_has_nothing_to_forget(tmp_path: Path) -> None:
    forget_after(tmp_path / "log.jsonl", "x", 5)
    assert (tmp_path / "log.jsonl").read_text() == ""
