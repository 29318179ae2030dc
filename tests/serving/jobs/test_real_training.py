"""A server in a process of its own that really trains: killed, started again, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest

from boxmask.serving.jobs.store import FOLDER

SECONDS = 300  # for a busy machine

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """`boxmask serve`, and how to ask it."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=60).json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = httpx.post(f"{self.url}{path}", json=body or {}, timeout=60)
        assert reply.status_code < 300, reply.text
        return reply.json()

    def wait(self, job: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while not is_so(now := dict(self.get(f"/v1/jobs/{job}"))):
            assert time.monotonic() < end, now
            time.sleep(0.2)
        return now


@pytest.fixture
def start(demo: Path, tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts servers with the same data and the same --out."""
    with ExitStack() as stack:
        stack.callback(end_jobs, tmp_path / "runs")

        def start() -> Server:
            words = ["serve", "--data", str(demo), "--out", str(tmp_path / "runs"), "--port", "0"]
            process = subprocess.Popen(
                [sys.executable, "-m", "boxmask", *words], stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving at "), line
            return Server(process, line.removeprefix("serving at ").partition(";")[0])

        yield start


def end_jobs(out: Path) -> None:
    """End what a failed test has left running."""
    file = out / FOLDER / "jobs.json"
    jobs = json.loads(file.read_text())["jobs"] if file.exists() else []
    for job in jobs:
        if job["pid"] is not None and psutil.pid_exists(job["pid"]):
            os.kill(job["pid"], signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_training_outlives_a_killed_server_and_stops_with_the_next(
    start: Callable[[], Server], tmp_path: Path
) -> None:
    first = start()
    request = {"kind": "train", "data": "digits", "model": "ssd", "minutes": 60, "size": 64}
    job = first.post("/v1/jobs", request)["id"]
    first.wait(job, lambda now: bool(now["curves"]["minutes"]))
    first.process.kill()
    first.process.wait()

    second = start()
    now = second.get(f"/v1/jobs/{job}")
    assert (now["state"], now["actions"]) == ("running", ["stop"])
    assert any("ssd on " in line for line in now["messages"])
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(SECONDS) == 0

    (saved,) = json.loads((tmp_path / "runs" / FOLDER / "jobs.json").read_text())["jobs"]
    assert (saved["state"], saved["reason"]) == ("stopped", "the server was stopped.")
    assert (tmp_path / "runs" / "ssd-1" / "resume.safetensors").is_file()


def test_a_finished_training_is_served_at_once(start: Callable[[], Server]) -> None:
    server = start()
    request = {"kind": "train", "data": "digits", "model": "ssd", "minutes": 0.1, "size": 64}
    job = server.post("/v1/jobs", request)["id"]
    done = server.wait(job, lambda now: now["state"] not in ("waiting", "running") and now["model"])
    assert (done["state"], done["model"], done["metric"]) == ("done", "ssd-1", "AP")
    assert [model["name"] for model in server.get("/v1/models")["models"]] == ["ssd-1"]
    assert server.post(f"/v1/jobs/{job}/use") == {"model": "ssd-1"}
