"""What the files of jobs tell: curves, tables, messages, and what lies in --out."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from boxmask.serving.jobs.curves import MAX_POINTS, LogReader
from boxmask.serving.jobs.found import FoundJobs
from boxmask.serving.jobs.job import Job
from boxmask.serving.jobs.json_files import JsonFiles
from boxmask.serving.jobs.messages import MAX_BYTES, MAX_LINES, error_of, last_lines, reason_of
from boxmask.serving.jobs.request import CompareRequest, TrainRequest
from boxmask.serving.jobs.tables import learning_curve_of, table_of
from boxmask.serving.jobs.watch import Watcher


def append(log: Path, *rows: dict[str, Any]) -> None:
    with log.open("a") as file:
        file.writelines(json.dumps({"stage": "training", **row}) + "\n" for row in rows)


def step(minutes: float, **losses: float) -> dict[str, Any]:
    return {"step": 1, "minutes": minutes, "learning_rate": 0.1, "images_per_second": 5.0, **losses}


# ---------------------------------------------------------------- curves


def test_only_what_was_appended_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, lines = tmp_path / "log.jsonl", list[bytes]()
    add = LogReader._add
    monkeypatch.setattr(LogReader, "_add", lambda self, line: (lines.append(line), add(self, line))[1])
    reader = LogReader(log)
    reader.refresh()
    append(log, step(1, box=2.0))
    reader.refresh()
    append(log, step(2, box=1.0), {"minutes": 2.5, "val": {"AP": 0.5, "images": 9}})
    reader.refresh()
    assert len([line for line in lines if line]) == 3
    curves = reader.curves()
    assert (curves.minutes, curves.losses) == ([1, 2], {"box": [2, 1]})
    assert [(row.minutes, row.metrics) for row in curves.validations] == [(2.5, {"AP": 0.5})]


def test_half_a_row_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append(log, step(1, box=2.0))
    with log.open("a") as file:
        file.write('{"step": 2, "min')
    reader = LogReader(log)
    reader.refresh()
    assert reader.curves().minutes == [1]
    with log.open("a") as file:
        file.write('utes": 2, "box": 1}\n')
    reader.refresh()
    assert reader.curves().minutes == [1, 2]


def test_a_resumed_training_begins_a_new_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append(log, step(1, box=2.0), step(2, box=1.0))
    reader = LogReader(log)
    reader.refresh()
    new = tmp_path / "new"
    append(new, step(1, box=2.0))
    new.replace(log)
    reader.refresh()
    assert reader.curves().minutes == [1]


def test_long_curves_are_thinned(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append(log, *(step(minutes, box=1.0) for minutes in range(20 * MAX_POINTS)))
    reader = LogReader(log)
    reader.refresh()
    minutes = reader.curves().minutes
    assert MAX_POINTS // 4 < len(minutes) <= MAX_POINTS + 1
    assert minutes[0] < 64
    assert minutes[-1] > 20 * MAX_POINTS - 64
    assert minutes == sorted(minutes)


@pytest.mark.parametrize("line", ["{", "[]", "5", '{"minutes": "x"}', '{"minutes": NaN}', "\xff", "[" * 9999])
def test_damaged_rows_are_left_out(tmp_path: Path, line: str) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(line.encode("latin-1") + b"\n")
    append(log, {**step(1), "box": float("nan"), "class": 1e300, "rpn": 0.5})
    reader = LogReader(log)
    reader.refresh()
    assert reader.curves().losses == {"rpn": [0.5]}


# ---------------------------------------------------------------- messages


def test_the_last_lines_are_bounded_and_harmless(tmp_path: Path) -> None:
    file = tmp_path / "messages.txt"
    file.write_text("\n".join(f"line {number} " + "x" * 100 for number in range(1000)) + "\n\x1b[31mred\n")
    lines = last_lines(file)
    assert len(lines) == MAX_LINES
    assert sum(map(len, lines)) < MAX_BYTES
    assert lines[-1] == "\\x1b[31mred"
    assert last_lines(tmp_path / "none") == []


def test_the_reason_is_the_error_of_the_program(tmp_path: Path) -> None:
    file = tmp_path / "messages.txt"
    assert "exit code 3" in reason_of(3, file)
    file.write_text("reading\nboxmask: first\nmore\nboxmask: labels.json: damaged\nRestore it.\n")
    assert reason_of(1, file) == "labels.json: damaged\nRestore it."
    file.write_text("boxmask: stopped.\n")
    assert error_of(file) == ""
    assert "no server watched it" in reason_of(None, file)


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"metric": "AP"}', '{"metric": "AP", "models": [5], "failed": []}']
)
def test_damaged_tables_are_none(tmp_path: Path, content: str) -> None:
    for name in ("progress.json", "comparison.json", "forecast.json"):
        (tmp_path / name).write_text(content)
    assert table_of(tmp_path, JsonFiles()) is None
    assert learning_curve_of(tmp_path, JsonFiles()) is None


def test_a_growing_forecast(tmp_path: Path) -> None:
    told = {"trainings": 8, "measured": [{"photos": 40, "value": 0.5}], "working": {"photos": 20}}
    (tmp_path / "progress.json").write_text(json.dumps(told))
    curve = learning_curve_of(tmp_path, JsonFiles())
    assert curve is not None
    assert [(point.photos, point.value) for point in curve.points] == [(40, 0.5)]
    assert curve.outlooks == []


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    files, file = JsonFiles(), tmp_path / "a.json"
    assert files.read(file) == {}
    file.write_text('{"a": 1}')
    assert files.read(file) == {"a": 1}
    file.write_text('{"a": 2}')
    os.utime(file, (1, 1))
    assert files.read(file) == {"a": 2}


def test_the_time_of_a_comparison_counts_all_trainings(tmp_path: Path) -> None:
    request = CompareRequest(kind="compare", data="photos", models=["ssd", "fcos"], minutes=10)
    job = Job(request, "photos", "compared", state="running", started=0.0)
    done, now = (tmp_path / "compared" / "runs" / f"{name}-seed-0" for name in ("ssd", "fcos"))
    for run, minutes in ((done, 10), (now, 5)):
        run.mkdir(parents=True)
        append(run / "log.jsonl", step(minutes, box=1.0))
        os.utime(run / "log.jsonl", (minutes, 100 - minutes))
    (done / "last.safetensors").touch()
    working = {"name": "fcos (model 2 of 2)", "step": "training", "share": 0.5, "left": ""}
    (tmp_path / "compared" / "progress.json").write_text(json.dumps({"working": working}))
    progress = Watcher(tmp_path).progress(job)
    assert (progress.item, progress.step) == ("fcos", "training")
    assert progress.share == pytest.approx(0.75)
    assert progress.seconds_left == pytest.approx(300)


# ---------------------------------------------------------------- what lies in --out


def test_a_run_that_another_process_trains_says_so(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.json").write_text(json.dumps({"data": "photos", "recipe": {"model": "ssd"}}))
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": "now"}
    (run / ".owner").write_text(json.dumps(owner))
    (job,) = FoundJobs(tmp_path).jobs(())
    assert isinstance(job.request, TrainRequest)
    assert job.state == "running"
    assert job.reason.startswith(f"process {os.getpid()}, which this server did not start")


def test_a_job_of_another_version_is_read(tmp_path: Path) -> None:
    request = TrainRequest(kind="train", data="photos", model="ssd")
    job = Job(request, str(tmp_path), "ssd-1")
    assert Job.from_dict(json.loads(json.dumps(job.to_dict()))).to_dict() == job.to_dict()
    with pytest.raises((TypeError, ValueError, KeyError)):
        Job.from_dict({**job.to_dict(), "state": "flying"})
