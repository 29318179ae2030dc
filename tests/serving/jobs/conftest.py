"""Servers whose jobs are commands of a quick program in place of boxmask."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.serving.conftest import served

from boxmask.serving.app import create_app
from boxmask.serving.jobs import process, queue
from boxmask.serving.options import ServeOptions

FAKE = (sys.executable, "-S", "-E", str(Path(__file__).parent / "fake_boxmask.py"))
SECONDS = 120  # a busy machine is no fault of what is tested

Start = Callable[..., "Client"]


class Client:
    """Asks a server about jobs."""

    def __init__(self, client: TestClient) -> None:
        self.http = client

    def add(self, **fields: Any) -> dict[str, Any]:
        request = {"kind": "train", "data": "photos", **fields}
        model = {} if request["kind"] == "compare" else {"model": "ssd"}
        reply = self.http.post("/v1/jobs", json={**model, **request})
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    def refused(self, **fields: Any) -> tuple[int, str, str]:
        """The status, code and message of a job that is refused."""
        reply = self.http.post("/v1/jobs", json={"kind": "train", "data": "photos", **fields})
        error = reply.json()["error"]
        return reply.status_code, error["code"], error["message"]

    def act(self, job: dict[str, Any], action: str) -> Any:
        return self.http.post(f"/v1/jobs/{job['id']}/{action}", json={})

    def look(self, job: dict[str, Any]) -> dict[str, Any]:
        return dict(self.http.get(f"/v1/jobs/{job['id']}").json())

    def names(self, state: str) -> list[str]:
        return [job["name"] for job in self.http.get("/v1/jobs").json()["jobs"] if job["state"] == state]

    def wait(self, job: dict[str, Any], *states: str) -> dict[str, Any]:
        """Wait until a job is in one of these states."""
        end = time.monotonic() + SECONDS
        while (now := self.look(job))["state"] not in states:
            assert time.monotonic() < end, now
            time.sleep(0.05)
        return now

    def wait_for_folder(self, job: dict[str, Any], out: Path, file: str = "log.jsonl") -> None:
        end = time.monotonic() + SECONDS
        while not (out / job["name"] / file).exists():
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A data set that the fake program does not read."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def start(photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts servers with this data set; keyword arguments are options."""
    monkeypatch.setattr(process, "PROGRAM", FAKE)
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.02)
    with ExitStack() as stack:

        def start(**options: Any) -> Client:
            chosen = ServeOptions(**{"data": (photos,), "out": out, **options})
            app = create_app([served()], chosen, names=["testserver"])
            return Client(stack.enter_context(TestClient(app, raise_server_exceptions=False)))

        yield start
