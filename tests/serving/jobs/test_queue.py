"""The queue: jobs run one at a time, stop, go on, fail, and survive the server."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.serving.jobs.conftest import Start
from tests.serving.jobs.fake_boxmask import FAILS, IS_KILLED, SLOW_TO_STOP, WAITS

from boxmask.serving.jobs import job_list
from boxmask.serving.jobs.store import FOLDER


def messages(job: dict[str, Any]) -> str:
    return "\n".join(job["messages"])


def test_a_job_runs_to_its_end(start: Start, photos: Path, out: Path) -> None:
    client = start()
    job = client.add(minutes=2, size=320)
    assert job["state"] in ("waiting", "running")
    done = client.wait(job, "done")
    assert done["name"] == "ssd-1"
    assert (out / "ssd-1" / "last.safetensors").exists()
    expected = f"train {photos} --out {out / 'ssd-1'} --model ssd --max-minutes 2 --size 320"
    assert f"started: {expected}" in messages(done)
    assert done["actions"] == ["use"]


def test_jobs_run_one_after_the_other(start: Start) -> None:
    client = start()
    first, second, third = (client.add(seed=WAITS) for _ in range(3))
    client.wait(first, "running")
    assert client.look(second)["place"] == 1
    assert client.look(third)["place"] == 2
    assert client.act(third, "up").json()["place"] == 1
    assert client.names("waiting") == ["ssd-3", "ssd-2"]
    client.act(first, "stop")
    client.wait(third, "running")
    assert client.look(second)["state"] == "waiting"


def test_a_stopped_job_goes_on(start: Start, out: Path) -> None:
    client = start()
    job = client.add(seed=WAITS)
    client.wait_for_folder(job, out)
    assert client.act(job, "stop").json()["state"] in ("stopping", "stopped")
    stopped = client.wait(job, "stopped")
    assert stopped["reason"] == ""
    assert stopped["actions"] == ["resume"]
    assert stopped["command"] == f"boxmask train --resume --out {out / 'ssd-1'}"
    assert client.act(job, "resume").json()["state"] in ("waiting", "running", "done")
    assert f"started: train --resume --out {out / 'ssd-1'}" in messages(client.wait(job, "done"))


def test_a_job_that_fails_says_why(start: Start) -> None:
    client = start()
    failed = client.wait(client.add(seed=FAILS), "failed")
    assert failed["reason"] == "photo.jpg: this photo is damaged.\nRestore it."
    assert failed["actions"] == ["resume", "remove"]
    assert client.act(failed, "remove").status_code == 204
    assert client.act(failed, "remove").status_code == 404


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_job_that_is_killed_can_be_resumed(start: Start) -> None:
    client = start()
    failed = client.wait(client.add(seed=IS_KILLED), "failed")
    assert failed["reason"].startswith("its process was killed (SIGKILL), perhaps for lack of memory")
    client.act(failed, "resume")
    client.wait(failed, "done")


def test_a_waiting_job_is_removed(start: Start) -> None:
    client = start()
    running, waiting = client.add(seed=WAITS), client.add()
    client.wait(running, "running")
    assert client.act(running, "remove").status_code == 409
    assert client.act(waiting, "stop").status_code == 409
    assert client.act(waiting, "remove").status_code == 204
    assert client.names("waiting") == []


def test_a_full_queue_refuses(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list, "MAX_WAITING", 1)
    client = start()
    client.wait(client.add(seed=WAITS), "running")
    client.add()
    status, code, message = client.refused(model="ssd")
    assert (status, code) == (429, "queue-full")
    assert "Remove one" in message


def test_the_list_survives_a_restart(start: Start, out: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = start()
    running, waiting = first.add(seed=WAITS), first.add(model="fcos")
    first.wait_for_folder(running, out)
    first.http.__exit__(None, None, None)  # the server stops
    assert "stopping ssd-1, which saves its work" in caplog.text
    saved = json.loads((out / FOLDER / "jobs.json").read_text())["jobs"]
    assert [(job["folder"], job["state"]) for job in saved] == [("ssd-1", "stopped"), ("fcos-1", "waiting")]
    second = start()
    second.wait(waiting, "done")
    stopped = second.look(running)
    assert (stopped["state"], stopped["reason"]) == ("stopped", "the server was stopped.")
    second.act(running, "resume")
    second.wait(running, "done")


def test_one_server_at_a_time_has_the_queue(start: Start) -> None:
    start()
    second = start()
    status, code, message = second.refused(model="ssd")
    assert (status, code) == (409, "jobs-closed")
    assert message.startswith("another boxmask serve works in ")
    assert second.http.get("/v1/jobs").json()["problem"] == message


def test_a_damaged_list_is_kept_and_reported(start: Start, out: Path) -> None:
    (out / FOLDER).mkdir(parents=True)
    (out / FOLDER / "jobs.json").write_text('{"jobs": [{"id": 5}]}')
    _, code, message = start().refused(model="ssd")
    assert code == "jobs-closed"
    assert "Move this file away" in message
    assert (out / FOLDER / "jobs.json").read_text() == '{"jobs": [{"id": 5}]}'


def test_a_folder_that_appears_meanwhile_is_left_alone(start: Start, out: Path) -> None:
    client = start()
    running, waiting = client.add(seed=WAITS), client.add()
    client.wait(running, "running")
    (out / "ssd-2").mkdir()
    client.act(running, "stop")
    assert client.wait(waiting, "done")["name"] == "ssd-3"


def test_the_process_does_not_get_the_token(start: Start, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXMASK_TOKEN", "a-token-that-is-secret")
    client = start()
    job = client.add(seed=WAITS)
    client.wait_for_folder(job, out)
    pid = json.loads((out / FOLDER / "jobs.json").read_text())["jobs"][0]["pid"]
    assert "BOXMASK_TOKEN" not in psutil.Process(pid).environ()
    os.kill(pid, signal.SIGTERM)
    client.wait(job, "stopped")


def test_stopping_waits_for_the_work_to_be_saved(start: Start, out: Path) -> None:
    client = start()
    job = client.add(seed=SLOW_TO_STOP)
    client.wait_for_folder(job, out)
    client.http.__exit__(None, None, None)
    saved = json.loads((out / FOLDER / "jobs.json").read_text())["jobs"][0]
    assert (saved["state"], saved["pid"]) == ("stopped", None)


def test_a_job_that_ends_while_it_is_asked_to_stop_is_done(start: Start, out: Path) -> None:
    client = start()
    job = client.add(seed=SLOW_TO_STOP)
    client.wait_for_folder(job, out)
    client.act(job, "stop")
    (out / "ssd-1" / "resume.safetensors").unlink()
    (out / "ssd-1" / "last.safetensors").touch()
    done = client.wait(job, "done")
    assert done["reason"] == ""
