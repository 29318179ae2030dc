"""The options of `boxmask serve`, on the command line and in Python. This file imports nothing heavy."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypedDict

from cyclopts import Parameter

from boxmask.errors import UsageError
from boxmask.options import option

MIN_TOKEN, MAX_TOKEN = 16, 512  # characters

LIMITS, ACCESS = "Limits", "Access"

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:.]+\](:[0-9]+)?")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class ServeOptions:
    """Where to listen, who may ask, and how much at once.

    Raises UsageError for a value out of range.
    """

    host: str = "127.0.0.1"
    """Address to listen on. The default can be reached from this computer only. With another address, for
    example 0.0.0.0, every request needs a token."""
    port: int = 8000
    """Port to listen on. 0 picks a free one."""
    token: Annotated[str | None, Parameter(group=ACCESS, env_var="BOXMASK_TOKEN")] = None
    """Token that each request must give, of at least 16 characters. Default: none on this computer, otherwise
    a new one, which is printed at the start. Other users of this computer can read flags: set the environment
    variable BOXMASK_TOKEN instead."""
    allow_host: Annotated[
        tuple[str, ...], Parameter(group=ACCESS, consume_multiple=1, show_default=False)
    ] = ()
    """More names under which this server may be asked, for example host.docker.internal."""
    allow_origin: Annotated[
        tuple[str, ...], Parameter(group=ACCESS, consume_multiple=1, show_default=False)
    ] = ()
    """Web pages of other servers that may ask this one, by origin, for example https://example.org."""
    data: Annotated[tuple[Path, ...], Parameter(consume_multiple=1, show_default=False)] = ()
    """Data sets that the page shows, corrects and trains on. Without it, the server writes no files."""
    out: Path = Path("runs")
    """Folder for the trainings, comparisons and forecasts of the page."""
    label_studio_photos: Annotated[Path | None, Parameter(group=ACCESS, show_default=False)] = None
    """Folder with the photos of a Label Studio project. The server finds the photos of tasks in it, and reads
    no other files."""
    max_photos: Annotated[int, Parameter(group=LIMITS)] = 16
    """Photos per request."""
    max_mb: Annotated[float, Parameter(group=LIMITS)] = 32.0
    """Megabytes per request."""
    max_megapixels: Annotated[float, Parameter(group=LIMITS)] = 50.0
    """Millions of pixels per photo."""
    queue: Annotated[int, Parameter(group=LIMITS)] = 64
    """Photos that wait or are in work, of all requests. When the queue is full, further requests are refused
    with status 429 and the seconds to wait."""
    workers: Annotated[int, Parameter(group=LIMITS)] = 2
    """Photos in work at the same time. PyTorch models predict one after another, while the next photo is
    decoded."""
    timeout: Annotated[float, Parameter(group=LIMITS)] = 60.0
    """Seconds until a request that was not answered is given up."""
    device: str = "auto"
    """"auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ..."""

    def __post_init__(self) -> None:
        """Check each value."""
        if not 0 <= self.port <= 65535:
            raise UsageError(f"{option('port')}: expected 0 to 65535, found {self.port}")
        for name in ("max_photos", "queue", "workers"):
            if getattr(self, name) < 1:
                raise UsageError(f"{option(name)}: expected 1 or more, found {getattr(self, name)}")
        for name in ("max_mb", "max_megapixels", "timeout"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UsageError(f"{option(name)}: expected a number above 0, found {value:g}")
        if self.max_photos > self.queue:
            raise UsageError(
                f"{option('max_photos')} {self.max_photos} does not fit into {option('queue')} {self.queue}: "
                "a full request would always be refused. Raise --queue, or lower --max-photos."
            )
        if self.token is not None:
            check_token(self.token)
        for name in self.allow_host:
            if not _HOST_NAME.fullmatch(name):
                raise UsageError(
                    f"{option('allow_host')}: expected a name without a port, for example "
                    f"host.docker.internal, found {name!r}"
                )
        for origin in self.allow_origin:
            if not _ORIGIN.fullmatch(origin.lower()):
                raise UsageError(
                    f"{option('allow_origin')}: expected an origin such as https://example.org, without a "
                    f"path, found {origin!r}"
                )

    @property
    def max_bytes(self) -> int:
        """Bytes per request."""
        return int(self.max_mb * 1e6)

    @property
    def max_pixels(self) -> int:
        """Pixels per photo."""
        return int(self.max_megapixels * 1e6)


class ServeKeywords(TypedDict, total=False):
    """The fields of `ServeOptions`, which describes them."""

    host: str
    port: int
    token: str | None
    allow_host: tuple[str, ...]
    allow_origin: tuple[str, ...]
    data: tuple[Path, ...]
    out: Path
    label_studio_photos: Path | None
    max_photos: int
    max_mb: float
    max_megapixels: float
    queue: int
    workers: int
    timeout: float
    device: str


def check_token(token: str) -> None:
    """Raise UsageError for a token that is short, or that a header cannot hold."""
    if not MIN_TOKEN <= len(token) <= MAX_TOKEN:
        raise UsageError(
            f"{option('token')}: expected {MIN_TOKEN} to {MAX_TOKEN} characters, found {len(token)}. Leave "
            "it out, and a token is made."
        )
    if not all("!" <= character <= "~" for character in token):
        raise UsageError(
            f"{option('token')}: expected letters, digits and punctuation of ASCII, without spaces"
        )
