"""Open a file on a server: one try, which fails quickly without a network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from threading import Thread
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, getproxies, proxy_bypass

from boxmask.errors import WeightsError

CONNECT_SECONDS = 4.0  # for the name of the server and the connection together
READ_SECONDS = 20.0  # without a byte
WEB_PAGE = "it answered with a web page instead of the file, as the login page of a network does"
PORTS = {"https": 443, "http": 80}
HEX_DIGITS = set("0123456789abcdef")


class RemoteError(Exception):
    """A file that the server does not give. The message is the reason."""


class NotOnServerError(WeightsError):
    """The server has no such file."""


class StoppedError(RemoteError):
    """The connection was lost before the end of the file."""


class RangeError(RemoteError):
    """The server has no such part of the file."""


@dataclass(frozen=True)
class OpenFile:
    """The content of a file on a server, from byte `start` on.

    size:   of the whole file in bytes; None if the server does not say
    sha256: as far as the server says; else ""
    """

    address: str
    response: HTTPResponse
    start: int
    size: int | None
    sha256: str

    def read(self, count: int) -> bytes:
        """The next bytes, none at the end. Raises StoppedError if the connection is lost."""
        try:
            return self.response.read(count)
        except (OSError, HTTPException) as error:
            raise StoppedError(_reason(error)) from error


@contextmanager
def open_file(address: str, start: int) -> Iterator[OpenFile]:
    """Open a file from byte `start` on, or from its beginning if the server cannot.

    Raises NotOnServerError, RangeError if the server does not have the byte `start`, and RemoteError.
    """
    check_reachable(address)
    redirects = _Redirects()
    headers = {"User-Agent": "boxmask", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response = build_opener(redirects).open(Request(address, headers=headers), timeout=READ_SECONDS)
    except HTTPError as error:
        raise _http_error(address, error) from error
    except (URLError, OSError, HTTPException) as error:
        raise RemoteError(f"{_host(address)} cannot be reached ({_reason(error)})") from error
    with response:
        first, size = _range(response)
        if response.headers.get_content_type() == "text/html":
            raise RemoteError(f"{_host(address)}: {WEB_PAGE}")
        if first not in (0, start):
            raise RangeError(f"{_host(address)} answered with another part of the file")
        yield OpenFile(address, response, first, size, redirects.sha256)


def check_reachable(address: str) -> None:
    """Raise RemoteError unless the server, or the proxy before it, can be connected to.

    Looking up the name of the server can take half a minute without a network, and no timeout of a socket
    ends it. So this happens in a thread, which is abandoned when the time is over.
    """
    errors: list[OSError | UnicodeError] = []
    host, port = _first_hop(address)

    def connect() -> None:
        try:
            socket.create_connection((host, port), CONNECT_SECONDS).close()
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no server can have
            errors.append(error)

    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if thread.is_alive():
        raise RemoteError(f"{host} does not answer")
    if errors:
        raise RemoteError(f"{host} cannot be reached ({_reason(errors[0])})")


def _first_hop(address: str) -> tuple[str, int]:
    """Host and port of the server, or of the proxy that the system's settings name for it.

    Raises RemoteError for an invalid address, such as a mistake in HF_ENDPOINT or https_proxy.
    """
    parts = urlsplit(address)
    if parts.scheme not in PORTS or not parts.hostname:
        raise RemoteError(f"{address} is no http or https address")
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    try:
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 80)
    except ValueError as error:
        raise RemoteError(f"the proxy {proxy} has no valid port") from error


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _reason(error: BaseException) -> str:
    """The reason for an error of the network in a few words."""
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, TimeoutError):
        return "no answer"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).split("\n")[0][:100]


def _http_error(address: str, error: HTTPError) -> WeightsError | RemoteError:
    if error.code in (404, 410):
        return NotOnServerError(f"{_host(address)} has no such file (HTTP {error.code})")
    kind = RangeError if error.code == 416 else RemoteError
    return kind(f"{_host(address)} refuses it (HTTP {error.code}, {error.reason})")


def _range(response: HTTPResponse) -> tuple[int, int | None]:
    """The first byte of the response, and the size of the whole file if the server says it."""
    length = response.headers.get("Content-Length", "")
    if response.status != 206:
        return 0, int(length) if length.isdecimal() else None
    first, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    begin = first.partition("-")[0]
    return int(begin) if begin.isdecimal() else -1, int(total) if total.isdecimal() else None


class _Redirects(HTTPRedirectHandler):
    """Follow redirects, and keep the checksum that the Hugging Face hub sends with them."""

    sha256 = ""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The request to the new address."""
        etag = headers.get("X-Linked-ETag", "").strip('"')
        if len(etag) == 64 and set(etag) <= HEX_DIGITS:
            self.sha256 = etag
        return super().redirect_request(req, fp, code, msg, headers, newurl)
