"""A thousand hostile uploads: each is refused with a reason, and the server goes on."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.serving.conftest import Serve, error_of, photo, upload

FORMS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM")


def noise(form: str) -> bytes:
    """A photo that does not compress, so that every part of its file matters."""
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks)


def truncated() -> Iterator[bytes]:
    for form in FORMS:
        content = noise(form)
        for share in np.linspace(0.01, 0.6, 50):
            yield content[: int(len(content) * share)]


def huge() -> Iterator[bytes]:
    sides = [8_000, 20_000, 65_535, 100_000, 2**31 - 1]
    for width in sides:
        for height in sides:
            yield png(width, height, chunk(b"IDAT", zlib.compress(bytes(1000))))
            yield b"BM" + struct.pack(
                "<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0
            )
            yield b"P6 %d %d 255\n" % (width, height) + bytes(100)
            if max(width, height) < 2**16:
                yield (
                    b"GIF89a"
                    + struct.pack("<HH", width, height)
                    + b"\x80\0\0"
                    + bytes(6)
                    + b"\x2c"
                    + bytes(20)
                )


def bombs() -> Iterator[bytes]:
    yield png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(10_000_000), 9)), chunk(b"IEND", b""))
    text = b"a\0\0" + zlib.compress(bytes(100_000_000), 9)
    yield png(9, 9, chunk(b"zTXt", text), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    file = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(file, "TIFF", compression="group4")
    yield file.getvalue()
    yield gzip.compress(bytes(10_000_000))
    for lines in (10, 100):
        entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, lines))
        yield f'<!DOCTYPE svg [<!ENTITY a0 "a">{entities}]><svg>&a{lines - 1};</svg>'.encode()


def other_files() -> Iterator[bytes]:
    yield from (b"", b"\0", b"\0" * 5000, b"hello", "안녕".encode("utf-16"), b"\xff\xd8\xff", b"RIFF0000WEBP")
    yield b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
    yield b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    yield b"PK\x03\x04" + bytes(100)
    yield b"\x7fELF" + bytes(500)
    yield b"#!/bin/sh\nrm -rf /\n"
    yield b"GIF89a/*\xff\xff" + b"*/=alert(1)"
    yield b"\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }" + bytes(50)
    yield b"\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."
    yield b"\0\0\0\x18ftypmp42" + bytes(200)
    yield b"\0\0\0\x18ftypheic" + bytes(200)
    yield b"\0\0\0\x18ftypavif" + bytes(200)
    yield b"8BPS\0\x01" + bytes(100)
    yield b"SIMPLE  =                    T" + b" " * 3000


def damaged() -> Iterator[bytes]:
    """Files whose beginning is overwritten at random, so that few remain photos."""
    random = np.random.default_rng(0)
    for number in range(560):
        content = bytearray(noise(FORMS[number % len(FORMS)]))
        content[: random.integers(2, 40)] = random.bytes(40)
        yield bytes(content)


def uploads() -> list[bytes]:
    return [*truncated(), *huge(), *bombs(), *other_files(), *damaged()]


@pytest.mark.slow
def test_a_thousand_hostile_uploads(serve: Serve) -> None:
    client = serve(timeout=60)
    hostile = uploads()
    statuses = []
    for number, content in enumerate(hostile):
        reply = client.post("/v1/predict", files=upload(content, f"../../{number}.svg"))
        statuses.append(reply.status_code)
        assert reply.status_code in (413, 422), (content[:60], reply.text)
        assert error_of(reply) in ("photo-unreadable", "photo-too-large")
        assert f"photo 1 ({number}.svg)" in reply.text
    assert len(statuses) >= 1000
    assert client.post("/v1/predict", files=upload(photo())).status_code == 200
    assert "boxmask_queue_photos 0.0" in client.get("/metrics").text


def requests() -> Iterator[dict[str, Any]]:
    """Bodies that are hostile themselves."""
    json_type = {"Content-Type": "application/json"}
    valid = base64.b64encode(photo()).decode()
    for key in ("path", "url", "file", "href", "__class__", "content"):
        for value in ("/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:22/"):
            yield {"json": {"photos": [{key: value}]}}
            yield {"json": {"photos": [{"base64": valid, key: value}]}}
            yield {"json": {"photos": [{"base64": valid}], key: value}}
            yield {"json": {"photos": [{"base64": value}]}}
            yield {"files": [(key, value.encode())]}
    for depth in (1000, 100_000):
        yield {"content": b'{"photos":' + b"[" * depth, "headers": json_type}
        yield {"content": b'{"a":' * depth, "headers": json_type}
    for model in ("../../etc/passwd", "\0", "x" * 999, "%s%s%n", "{}", "' OR 1=1"):
        yield {"json": {"photos": [{"base64": valid}], "model": model}}
    for boundary in (b"", b"-" * 500, b"\xff", b'"', b"a;b", b"\0"):
        kind = b"multipart/form-data; boundary=" + boundary
        yield {"content": b"--a\r\n\r\n\r\n--a--", "headers": {"Content-Type": kind}}


def test_hostile_bodies(serve: Serve) -> None:
    client = serve()
    for request in requests():
        reply = client.post("/v1/predict", **request)
        assert 400 <= reply.status_code < 500, (request, reply.text)
        error_of(reply)
    assert client.post("/v1/predict", files=upload(photo())).status_code == 200
