"""A server in a process of its own: signals, overload, tokens and clients that misbehave."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from tests.serving.conftest import photo, served, upload

from boxmask.errors import UsageError
from boxmask.serving.options import ServeOptions
from boxmask.serving.server import serve_models

PROGRAM = Path(__file__).parent / "slow_server.py"


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    url: str
    token: str

    def ask(self, content: bytes | None = None) -> httpx.Response:
        files = upload(photo() if content is None else content)
        return httpx.post(f"{self.url}/v1/predict", files=files, timeout=30)

    def await_line(self, text: str) -> None:
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline().strip()) != text:
            assert line, "the server has ended"

    @contextmanager
    def raw(self) -> Iterator[socket.socket]:
        parts = urlsplit(self.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            yield connection


Start = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers whose model takes some seconds per photo; stops them at the end."""
    with ExitStack() as stack:

        def start(seconds: float = 0, queue: int = 64, host: str = "127.0.0.1") -> Server:
            command = [sys.executable, str(PROGRAM), str(seconds), str(queue), host]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            url, token = process.stdout.readline().split()
            return Server(process, url, token)

        yield start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_running_requests_end(start: Start, number: int) -> None:
    server = start(seconds=1)
    replies: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: replies.append(server.ask()))
    asking.start()
    server.await_line("predicting")
    server.process.send_signal(number)
    asking.join(20)
    assert replies[0].status_code == 200
    server.await_line("ended")
    assert server.process.wait(20) == 0
    assert server.process.stderr is not None
    assert server.process.stderr.read() == ""
    with pytest.raises(httpx.ConnectError):
        server.ask()


def test_an_overloaded_server_refuses_quickly_and_recovers(start: Start) -> None:
    server = start(seconds=0.3, queue=4)
    statuses, refusals = list[int](), list[float]()

    def ask() -> None:
        begin = time.monotonic()
        reply = server.ask(photo((400, 300)))
        statuses.append(reply.status_code)
        if reply.status_code == 429:
            refusals.append(time.monotonic() - begin)
            assert int(reply.headers["Retry-After"]) >= 1

    for _ in range(3):
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 12
    assert sorted(refusals)[len(refusals) // 2] < 2
    assert server.ask().status_code == 200


def test_other_addresses_need_a_token(start: Start) -> None:
    server = start(host="0.0.0.0")
    assert len(server.token) >= 40
    assert server.ask().status_code == 401
    headers = {"Authorization": f"Bearer {server.token}"}
    assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == 200
    other = headers | {"Host": "evil.example"}
    assert httpx.get(f"{server.url}/v1/models", headers=other).status_code == 421


def test_clients_that_misbehave(start: Start) -> None:
    server = start()
    assert server.token == "-"
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n"
    cases = {
        b"\x00\xff garbage\r\n\r\n": b"400",
        b"GET /v1/models HTTP/1.1\r\n\r\n": b"400",  # no Host
        b"GET /v1/models HTTP/1.0\r\n\r\n": b"421",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n": b"404",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n": b"4",
        head + b"Content-Length: -5\r\n\r\n": b"400",
        head + b"Content-Length: 99999999999\r\n\r\n": b"413",
        head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}": b"422",
        head + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n": b"400",
    }
    for request, status in cases.items():
        with server.raw() as connection:
            connection.sendall(request)
            assert connection.recv(1000)[9:12].startswith(status), request[:80]
    for _ in range(20):  # clients that leave in the middle
        with server.raw() as connection:
            connection.sendall(head + b"Content-Length: 5000\r\n\r\n{")
    assert server.ask().status_code == 200


def test_clients_that_leave_make_room(start: Start) -> None:
    server = start(seconds=0.5, queue=2)
    for _ in range(3):
        with pytest.raises(httpx.TimeoutException):
            httpx.post(f"{server.url}/v1/predict", files=upload(photo()) * 2, timeout=0.3)
        deadline = time.monotonic() + 10
        while "boxmask_queue_photos 0.0" not in httpx.get(f"{server.url}/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert server.ask().status_code == 200


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", None), ("no.such.host.invalid", 0), ("8.8.8.8", 0)])
def test_an_address_that_cannot_be_used(host: str, port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1] if port is None else port
        with pytest.raises(UsageError, match=f"--host {host} --port {number}: cannot listen there"):
            serve_models([served()], ServeOptions(host=host, port=number))
