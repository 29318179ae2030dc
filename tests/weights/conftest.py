"""A server on this machine that offers files of weights, and a cache of its own for each test."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from boxmask.weights.download.remote_file import RemoteFile


@dataclass
class LocalServer:
    """A server whose files and faults a test chooses.

    files:        content by path, such as "/model.pth"
    ranges:       whether it answers requests for a part of a file
    cut_after:    bytes after which it closes the connection; None: never
    status:       of every answer; None: the right one
    content_type: of every answer
    linked_etag:  if given, files are behind a redirect that names this checksum, as on the Hugging Face hub
    requests:     path and Range header of each request
    """

    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cut_after: int | None = None
    status: int | None = None
    content_type: str = "application/octet-stream"
    linked_etag: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def offer(self, name: str, content: bytes, sha256: str | None = None) -> RemoteFile:
        """Offer a file; its checksum is the right one unless another is given."""
        self.files[f"/{name}"] = content
        digest = hashlib.sha256(content).hexdigest()[:8] if sha256 is None else sha256
        return RemoteFile(f"somebody/{name}", f"{self.address}/{name}", name, digest)


class Handler(BaseHTTPRequestHandler):
    """Answers as the LocalServer says."""

    options: LocalServer

    def do_GET(self) -> None:
        options, range_header = self.options, self.headers.get("Range", "")
        path = self.path.removeprefix("http://weights.example")  # as it comes to a proxy
        options.requests.append((path, range_header))
        if options.linked_etag and not path.startswith("/behind"):
            self.send_response(302)
            self.send_header("X-Linked-ETag", f'"{options.linked_etag}"')
            self.send_header("Location", f"/behind{path}")
            self.end_headers()
            return
        content = options.files.get(path.removeprefix("/behind"))
        start = int(range_header[6:].partition("-")[0]) if range_header and options.ranges else 0
        if content is None or options.status:
            self.send_error(options.status or 404)
        elif start and start >= len(content):
            self.send_error(416)
        else:
            self.send_file(content, start)

    def send_file(self, content: bytes, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Type", self.options.content_type)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if self.options.cut_after is None else start + self.options.cut_after
        self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A server on loopback; it ends with the test."""
    handler = type("OneHandler", (Handler,), {})
    http_server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.options = LocalServer(http_server.server_port)
    thread = threading.Thread(target=http_server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield handler.options
    http_server.shutdown()
    http_server.server_close()


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of downloaded weights, which only this test uses; it does not exist yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface"))
    return tmp_path / "torch" / "hub" / "checkpoints"
