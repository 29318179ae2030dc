"""Downloads: complete or absent, resumed, and one clear error for each fault."""

import errno
import hashlib
import os
import shutil
import socket
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxmask.errors import DiskFullError, OutputError, WeightsError
from boxmask.weights.download import connection
from boxmask.weights.download.connection import NotOnServerError
from boxmask.weights.download.fetch import fetch
from boxmask.weights.download.remote_file import RemoteFile

CONTENT = np.random.default_rng(0).bytes(3_000_000)
OTHER = CONTENT[::-1]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_file_is_downloaded_once(server: Any, checkpoints: Path, capsys: pytest.CaptureFixture) -> None:
    file = server.offer("net.pth", CONTENT)
    assert fetch(file) == checkpoints / "net.pth"
    assert (checkpoints / "net.pth").read_bytes() == CONTENT
    assert names(checkpoints) == ["net.pth"]
    assert capsys.readouterr().err == f"downloading {server.address}/net.pth (3 MB)\n"
    assert fetch(file) == checkpoints / "net.pth"
    assert server.requests == [("/net.pth", "")]
    assert capsys.readouterr().err == ""


def test_a_wrong_checksum_leaves_nothing(server: Any, checkpoints: Path) -> None:
    file = server.offer("net.pth", CONTENT, sha256="0123abcd")
    with pytest.raises(
        WeightsError, match=r"somebody/net.pth: what came .* instead of 0123abcd. It was damaged"
    ):
        fetch(file)
    assert names(checkpoints) == []


def test_a_cut_download_continues(server: Any, checkpoints: Path, capsys: pytest.CaptureFixture) -> None:
    file = server.offer("net.pth", CONTENT)
    server.cut_after = 2_100_000
    with pytest.raises(WeightsError, match=r"stopped \(after 2.1 of 3.0 MB\)\. .* it continues from there"):
        fetch(file)
    assert names(checkpoints) == ["net.pth.partial"]
    server.cut_after = None
    fetch(file)
    assert server.requests[1:] == [("/net.pth", "bytes=2100000-")]
    assert (checkpoints / "net.pth").read_bytes() == CONTENT
    assert names(checkpoints) == ["net.pth"]
    assert f"continuing {server.address}" in capsys.readouterr().err


def test_a_download_that_is_cut_before_the_first_byte_leaves_nothing(server: Any, checkpoints: Path) -> None:
    file, server.cut_after = server.offer("net.pth", CONTENT), 0
    with pytest.raises(WeightsError, match="stopped"):
        fetch(file)
    assert names(checkpoints) == []


def leave_partial(checkpoints: Path, content: bytes) -> None:
    checkpoints.mkdir(parents=True)
    (checkpoints / "net.pth.partial").write_bytes(content)


@pytest.mark.parametrize(
    ("left", "ranges", "requests"),
    [
        (CONTENT[:1000], True, ["bytes=1000-"]),
        (CONTENT[:1000], False, ["bytes=1000-"]),  # the whole file comes
        (OTHER[:1000], True, ["bytes=1000-", ""]),  # of an older file: the checksum tells
        (CONTENT, True, ["bytes=3000000-", ""]),  # complete, but not renamed
        (CONTENT + b"more", True, ["bytes=3000004-", ""]),
        (CONTENT + b"more", False, ["bytes=3000004-"]),
        (b"", True, [""]),
    ],
)
def test_what_a_download_left(
    server: Any, checkpoints: Path, left: bytes, ranges: bool, requests: list[str]
) -> None:
    leave_partial(checkpoints, left)
    server.ranges = ranges
    fetch(server.offer("net.pth", CONTENT))
    assert [header for _, header in server.requests] == requests
    assert (checkpoints / "net.pth").read_bytes() == CONTENT
    assert names(checkpoints) == ["net.pth"]


def test_nothing_is_continued_without_a_checksum(server: Any, checkpoints: Path) -> None:
    leave_partial(checkpoints, OTHER[:1000])
    fetch(server.offer("net.pth", CONTENT, sha256=""))
    assert [header for _, header in server.requests] == ["bytes=1000-", ""]
    assert (checkpoints / "net.pth").read_bytes() == CONTENT


def test_a_cut_download_starts_anew_without_a_checksum(server: Any, checkpoints: Path) -> None:
    file, server.cut_after = server.offer("net.pth", CONTENT, sha256=""), 2_100_000
    with pytest.raises(WeightsError, match=r"stopped .* Run the same again: it starts over\."):
        fetch(file)
    assert names(checkpoints) == []


def test_a_copy_without_a_checksum_is_not_hashed(
    server: Any, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = server.offer("net.pth", CONTENT, sha256="")
    checkpoints.mkdir(parents=True)
    (checkpoints / "net.pth").write_bytes(OTHER)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert fetch(file) == checkpoints / "net.pth"


def test_the_checksum_of_the_hub(server: Any, checkpoints: Path) -> None:
    file = server.offer("net.safetensors", CONTENT, sha256="")
    server.linked_etag = "0" * 64
    with pytest.raises(WeightsError, match="instead of 0000"):
        fetch(file)
    assert names(checkpoints) == []
    server.linked_etag = hashlib.sha256(CONTENT).hexdigest()
    (checkpoints / "net.safetensors.partial").write_bytes(CONTENT[:7])
    fetch(file)
    assert server.requests[-1] == ("/behind/net.safetensors", "bytes=7-")
    assert (checkpoints / "net.safetensors").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "message"),
    [(403, "refuses it .HTTP 403, Forbidden"), (503, "refuses it .HTTP 503"), (416, "refuses it .HTTP 416")],
)
def test_a_server_that_refuses(server: Any, checkpoints: Path, status: int, message: str) -> None:
    file, server.status = server.offer("net.pth", CONTENT), status
    with pytest.raises(WeightsError, match=f"somebody/net.pth could not be downloaded: 127.0.0.1 {message}"):
        fetch(file)
    assert names(checkpoints) == []
    assert len(server.requests) == 1


def test_a_file_that_the_server_does_not_have(server: Any, checkpoints: Path) -> None:
    file = server.offer("net.pth", CONTENT)
    server.files.clear()
    with pytest.raises(
        NotOnServerError,
        match=r"no such file \(HTTP 404\): http://.*/net.pth. Update boxmask, or .* save it as",
    ):
        fetch(file)
    assert names(checkpoints) == []


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("left", [b"", b"beginning"])
def test_a_web_page_instead_of_the_file(
    server: Any, checkpoints: Path, content_type: str, left: bytes
) -> None:
    leave_partial(checkpoints, left)
    server.ranges, server.content_type = False, content_type
    file = server.offer("net.pth", b"\n<!DOCTYPE html><title>Welcome</title>", sha256="0123abcd")
    with pytest.raises(WeightsError, match=r"could not be downloaded: .*a web page instead of the file"):
        fetch(file)
    assert not (checkpoints / "net.pth").exists()


def test_a_header_that_begins_like_a_web_page_is_none(server: Any, checkpoints: Path) -> None:
    """The header of a safetensors file begins with its length, here 0x3c20."""
    content = b" <\0\0\0\0\0\0{" + CONTENT
    fetch(server.offer("net.safetensors", content))
    assert (checkpoints / "net.safetensors").read_bytes() == content


def test_a_disk_that_is_too_small(server: Any, checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_partial(checkpoints, CONTENT[:1000])
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1_000_000))
    with pytest.raises(
        DiskFullError, match=r"no space left .* 3 MB are needed, and 1 MB are free. .* TORCH_HOME"
    ):
        fetch(server.offer("net.pth", CONTENT))
    assert names(checkpoints) == []


def test_a_disk_that_gets_full(server: Any, checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFullError, match=r"net\.pth: no space left on the disk"):
        fetch(server.offer("net.pth", CONTENT))
    assert names(checkpoints) == []


def test_a_folder_that_cannot_be_written(server: Any, checkpoints: Path) -> None:
    checkpoints.parent.mkdir(parents=True)
    checkpoints.write_text("a file")
    with pytest.raises(OutputError, match=r"checkpoints.net\.pth: cannot be written"):
        fetch(server.offer("net.pth", CONTENT))


def test_a_damaged_copy_is_named(server: Any, checkpoints: Path) -> None:
    checkpoints.mkdir(parents=True)
    (checkpoints / "net.pth").write_bytes(OTHER)
    with pytest.raises(WeightsError, match=r"net.pth: this is not the file of somebody/net.pth.* Remove it"):
        fetch(server.offer("net.pth", CONTENT))
    assert server.requests == []


# ---------------------------------------------------------------- without a network


def by_hand(checkpoints: Path) -> str:
    return f" in another way and save it as {checkpoints / 'net.pth'}."


def test_no_server(server: Any, checkpoints: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens
        file = RemoteFile("a/net", f"http://127.0.0.1:{unused.getsockname()[1]}/net.pth", "net.pth")
        begin = time.monotonic()
        with pytest.raises(
            WeightsError, match=r"127.0.0.1 cannot be reached \(Connection refused\)"
        ) as caught:
            fetch(file)
    assert time.monotonic() - begin < 5
    assert str(caught.value).endswith(f"or download {file.address}{by_hand(checkpoints)}")
    assert "\n" not in str(caught.value)
    assert names(checkpoints) == []


@pytest.mark.parametrize("host", ["boxmask.invalid", f"{'a' * 70}.invalid", "a..b"])
def test_a_name_without_a_server(checkpoints: Path, host: str) -> None:
    begin = time.monotonic()
    with pytest.raises(WeightsError, match=f"{host} cannot be reached|{host} does not answer"):
        fetch(RemoteFile("a/net", f"https://{host}/net.pth", "net.pth"))
    assert time.monotonic() - begin < 5


def test_a_network_that_swallows_everything(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(socket, "create_connection", lambda *_: time.sleep(1) or socket.socket())
    begin = time.monotonic()
    with pytest.raises(WeightsError, match=r"weights.example does not answer"):
        fetch(RemoteFile("a/net", "https://weights.example/net.pth", "net.pth"))
    assert time.monotonic() - begin < 0.9


@pytest.mark.parametrize("address", ["mirror.example/net.pth", "ftp://a.example/net.pth", "https:///net.pth"])
def test_what_is_no_address(checkpoints: Path, address: str) -> None:
    with pytest.raises(WeightsError, match=f"{address} is no http or https address"):
        fetch(RemoteFile("a/net", address, "net.pth"))


def test_a_mistake_in_the_proxy(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:80a")
    with pytest.raises(WeightsError, match="the proxy http://proxy:80a has no valid port"):
        fetch(RemoteFile("a/net", "https://weights.example/net.pth", "net.pth"))


def test_what_must_not_be_downloaded(server: Any, checkpoints: Path) -> None:
    offered = server.offer("net.pth", CONTENT)
    blocked = RemoteFile("a/net", offered.address, "net.pth", blocked="HF_HUB_OFFLINE is set")
    with pytest.raises(
        WeightsError, match=r"a/net is not downloaded: HF_HUB_OFFLINE is set\. Change this, or"
    ):
        fetch(blocked)
    assert server.requests == []


# ---------------------------------------------------------------- surroundings


def test_a_proxy(server: Any, checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    file = server.offer("net.pth", CONTENT)
    fetch(RemoteFile("a/net", "http://weights.example/net.pth", "net.pth", file.sha256))
    assert (checkpoints / "net.pth").read_bytes() == CONTENT


def test_several_downloads_at_once(server: Any, checkpoints: Path) -> None:
    file = server.offer("net.pth", CONTENT)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(fetch, [file] * 4))
    assert paths == [checkpoints / "net.pth"] * 4
    assert len(server.requests) == 1
    assert names(checkpoints) == ["net.pth"]
