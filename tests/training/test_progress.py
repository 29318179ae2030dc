import io
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from boxmask.training import progress
from boxmask.training.clock import Clock
from boxmask.training.progress import Report, drop_log_after, read_log


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the report reads, as a list of one number to set."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def report_to_text() -> tuple[Report, io.StringIO]:
    """A report without a terminal, and the stream that it prints to."""
    text = io.StringIO()
    return Report(Console(file=text, width=200)), text


def run_steps(report: Report, clock: Clock, wall: list[float], count: int, seconds: float = 1.0) -> None:
    for _ in range(count):
        wall[0] += seconds
        clock.step += 1
        report.step(clock, {"roi_class": 2.0, "rpn_box": 0.5}, images=4)


def test_without_a_terminal_a_line_is_printed_every_30_seconds(wall: list[float]) -> None:
    report, text = report_to_text()
    with report:
        run_steps(report, Clock(100, 0.0), wall, 70)
    lines = text.getvalue().strip().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("31 %  loss 2.500 (roi_class 2.000  rpn_box 0.500)  4.0 images/s  ")
    assert lines[0].endswith(" min left")


def test_the_speed_is_measured_over_the_last_steps(wall: list[float]) -> None:
    report, _ = report_to_text()
    clock = Clock(1000, 0.0)
    assert report.images_per_second() == 0
    run_steps(report, clock, wall, 30, seconds=8.0)
    assert report.images_per_second() == pytest.approx(0.5)
    run_steps(report, clock, wall, 20, seconds=2.0)
    assert report.images_per_second() == pytest.approx(2.0)


def test_the_log_has_a_row_every_few_seconds(wall: list[float], tmp_path: Path) -> None:
    report, _ = report_to_text()
    report.log = tmp_path / "log.jsonl"
    run_steps(report, Clock(100, 0.0), wall, 13)
    rows = [json.loads(line) for line in report.log.read_text().splitlines()]
    assert [row["step"] for row in rows] == [6, 12]
    assert set(rows[0]) == {"stage", "step", "minutes", "roi_class", "rpn_box", "images_per_second"}


def test_braces_and_brackets_are_printed_unchanged() -> None:
    report, text = report_to_text()
    report.message("photos in [red]/{0}")
    assert text.getvalue() == "photos in [red]/{0}\n"


def test_rows_after_a_step_are_dropped(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    remaining = [
        '{"stage": "first", "step": 9}',
        '{"stage": "x", "step": 3}',
        '{"stage": "x", "step": 5, "val": {}}',
    ]
    log.write_text("\n".join([*remaining, '{"stage": "x", "step": 6}', ""]))
    drop_log_after(log, "x", 5)
    assert log.read_text() == "\n".join([*remaining, ""])


def test_an_incomplete_last_line_is_dropped(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"stage": "x", "step": 3}\n{"ste')
    drop_log_after(log, "x", 5)
    assert log.read_text() == '{"stage": "x", "step": 3}\n'


def test_without_a_log_there_is_nothing_to_drop(tmp_path: Path) -> None:
    drop_log_after(tmp_path / "log.jsonl", "x", 5)
    assert (tmp_path / "log.jsonl").read_text() == ""


def test_the_time_left_ignores_items_that_were_done_before(wall: list[float]) -> None:
    """Two photos took 60 seconds, of which 30 come before the first call; 100 photos are left."""
    report, text = report_to_text()
    for done in (899, 900):
        wall[0] += 31
        report.advance(done, 1000)
    assert text.getvalue().splitlines() == [
        "899 of 1000 photos  52.2 min left",
        "900 of 1000 photos  51.7 min left",
    ]


@pytest.mark.parametrize("with_validation", [False, True])
def test_the_row_of_a_validation_that_is_repeated_is_dropped(tmp_path: Path, with_validation: bool) -> None:
    log = tmp_path / "log.jsonl"
    rows: list[dict[str, object]] = [{"stage": "x", "step": step} for step in (3, 5, 5)]
    rows[0]["val"] = rows[2]["val"] = {}
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    drop_log_after(log, "x", 5, with_validation=with_validation)
    assert read_log(log) == rows[: 2 if with_validation else 3]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), BrokenPipeError()])
def test_a_closed_terminal_stops_no_training(
    monkeypatch: pytest.MonkeyPatch, wall: list[float], error: OSError
) -> None:
    attempts = []

    def fail(*arguments: object) -> int:
        attempts.append(arguments)
        raise error

    stream = io.StringIO()
    monkeypatch.setattr(stream, "write", fail)
    monkeypatch.setattr(stream, "flush", fail)
    monkeypatch.setattr(sys, "stderr", stream)
    report = Report()
    with report:
        report.message("a message")
        run_steps(report, Clock(100, 0.0), wall, 70)
        report.advance(1, 2)
    assert attempts


def test_the_log_goes_on_after_a_line_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, text = report_to_text()
    report.log = tmp_path
    report.write_log({"step": 1})
    report.write_log({"step": 2})
    assert text.getvalue().count("warning: ") == 1
    report.log = tmp_path / "log.jsonl"
    report.write_log({"step": 3})
    assert [row["step"] for row in read_log(report.log)] == [3]


@given(damage=st.binary(max_size=80), position=st.integers(0, 400), cut=st.integers(0, 60))
@example(damage=b'{"stage": "x", "step": "y"}\n', position=0, cut=0)
@example(damage=b"[" * 9999, position=0, cut=0)
@example(damage=b'{"stage": "x", "step": null, "val": 1}\n', position=0, cut=0)
@settings(max_examples=200, deadline=None)
def test_any_damage_costs_the_lines_that_it_hits(damage: bytes, position: int, cut: int) -> None:
    rows = [{"stage": "x", "step": step, "loss": step / 7} for step in range(8)]
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    content = b"".join(lines)
    damaged = content[:position] + damage + content[position + cut :]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        log.write_bytes(damaged)
        drop_log_after(log, "x", 5)
        kept = read_log(log)
    assert all(row in kept for row in rows[:6] if whole_line(json.dumps(row).encode(), damaged))
    assert all(row["step"] <= 5 for row in kept if row["stage"] == "x")


def whole_line(line: bytes, content: bytes) -> bool:
    return line in content.split(b"\n")


def test_reading_photos_shows_how_many_and_how_long(wall: list[float]) -> None:
    report, text = report_to_text()
    with report.reading_photos() as show:
        for done in range(1, 101):
            wall[0] += 1.0
            show(done, 100)
    lines = text.getvalue().strip().split("\n")
    assert [line.split("  ") for line in lines] == [
        ["31 of 100 photos", "1.1 min left"],
        ["62 of 100 photos", "0.6 min left"],
        ["93 of 100 photos", "0.1 min left"],
    ]


def test_nothing_is_shown_if_no_photo_is_read() -> None:
    report, text = report_to_text()
    with report.reading_photos():
        pass
    assert text.getvalue() == ""


def test_a_terminal_shows_a_bar_while_photos_are_read() -> None:
    text = io.StringIO()
    report = Report(Console(file=text, width=120, force_terminal=True))
    with report.reading_photos() as show:
        show(1, 4)
        show(4, 4)
    assert "reading photos" in text.getvalue()
    assert "4 of 4 photos" in text.getvalue()
    with report:  # the bar of the training follows
        report.begin_stage("training", 1, 1, 0.0)


def test_validations_do_not_lower_the_speed(wall: list[float]) -> None:
    report, _ = report_to_text()
    clock = Clock(1000, 0.0)
    run_steps(report, clock, wall, 3)
    with clock.stopped():
        wall[0] += 500
    run_steps(report, clock, wall, 3)
    assert report.images_per_second() == pytest.approx(4.0)


def test_passes_are_shown_and_logged(wall: list[float], tmp_path: Path) -> None:
    report, text = report_to_text()
    report.log = tmp_path / "log.jsonl"
    run_steps(report, Clock(100, 0.0, steps_per_pass=5), wall, 31)
    assert text.getvalue().startswith("31 %  pass 6.2  loss 2.500 ")
    assert [row["passes"] for row in read_log(report.log)] == [1.2, 2.4, 3.6, 4.8, 6.0]
