"""A server on this machine alone, from which a page loads the file, and to which it sends results."""

from __future__ import annotations

import json
import queue
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

WEB = files("boxmask.certificate.browser") / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".json": "application/json",
}
POLL = 5.0  # seconds after which the page asks again for a job
HEADERS = {  # with the first two, a page may use several threads
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-store",
}


class PageError(Exception):
    """What went wrong in the page, in the words of the browser."""


@dataclass(frozen=True)
class Site:
    """What a page loads.

    model:   the exported file
    runtime: the folder of onnxruntime-web with its scripts
    script:  the name of its main script
    threads: of a prediction
    jobs:    messages to the page
    results: messages from the page; an exception is what went wrong there
    token:   the first part of all paths, so that no other program can ask for the file
    """

    model: Path
    runtime: Path
    script: str
    threads: int
    jobs: queue.Queue[bytes] = field(default_factory=queue.Queue)
    results: queue.Queue[bytes | PageError] = field(default_factory=queue.Queue)
    token: str = field(default_factory=secrets.token_urlsafe)

    def read(self, path: str) -> bytes | None:
        """The content of a path; None if there is none."""
        if path == "settings.json":
            return json.dumps({"script": self.script, "threads": self.threads}).encode()
        if path == "model.onnx":
            return self.model.read_bytes()
        folder, _, name = path.rpartition("/")
        if folder == "ort":
            known = [file for file in self.runtime.iterdir() if file.name == name and file.is_file()]
            return known[0].read_bytes() if known else None
        return (WEB / name).read_bytes() if path in ("index.html", "run.mjs") else None


class PageServer(ThreadingHTTPServer):
    """Serves a site on a free port of this machine until the block ends."""

    daemon_threads = True

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.site.token}/index.html"

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a browser that ends closes its connections."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A file, or the next job."""
        path = self._path()
        if path == "job":
            try:
                self._answer(200, self.server.site.jobs.get(timeout=POLL))
            except queue.Empty:
                self._answer(204)
            return
        content = self.server.site.read(path) if path else None
        self._answer(404 if content is None else 200, content or b"", TYPES.get(Path(path).suffix))

    def do_POST(self) -> None:
        """A result, or an error."""
        path, body = self._path(), self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "result":
            self.server.site.results.put(body)
        elif path == "error":
            self.server.site.results.put(PageError(body.decode("utf-8", "replace")))
        self._answer(200 if path in ("result", "error") else 404)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def _path(self) -> str:
        """The path behind the token; "" without it."""
        token, _, path = self.path.removeprefix("/").partition("/")
        return path if secrets.compare_digest(token, self.server.site.token) else ""

    def _answer(self, status: int, content: bytes = b"", kind: str | None = None) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
