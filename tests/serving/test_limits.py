"""Requests that are broken or too large are refused with a status that says why."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from tests.serving.conftest import Detector, Serve, error_of, photo, served, upload


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG that announces a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + crc + b"\0\0\0\0IDAT"


def test_bytes(serve: Serve) -> None:
    client = serve(max_mb=0.01)
    assert client.post("/v1/predict", files=upload(photo())).status_code == 200
    reply = client.post("/v1/predict", files=upload(bytes(20_000)))
    assert (reply.status_code, error_of(reply)) == (413, "body-too-large")
    assert "--max-mb" in reply.text


def test_bytes_that_are_not_announced(serve: Serve) -> None:
    headers = {"Content-Type": "application/json"}
    chunks = (b" " * 1000 for _ in range(30))
    reply = serve(max_mb=0.01).post("/v1/predict", content=chunks, headers=headers)
    assert (reply.status_code, error_of(reply)) == (413, "body-too-large")


def test_pixels_are_counted_before_decoding(serve: Serve) -> None:
    client = serve(max_megapixels=1)
    for size in ((2000, 1000), (2**31 - 1, 1), (100_000, 100_000)):
        reply = client.post("/v1/predict", files=upload(png_of(*size)))
        assert reply.status_code in (413, 422)
        assert error_of(reply) in ("photo-too-large", "photo-unreadable")
    assert "at most 1 million pixels" in client.post("/v1/predict", files=upload(png_of(2000, 1000))).text


def test_a_bomb_is_not_decoded(serve: Serve) -> None:
    file = io.BytesIO()
    Image.new("L", (20_000, 20_000)).save(file, "PNG")  # 400 million pixels in 400 kB
    detector = Detector()
    reply = serve(served(predictor=detector)).post("/v1/predict", files=upload(file.getvalue()))
    assert (reply.status_code, error_of(reply), detector.calls) == (413, "photo-too-large", 0)


def test_number_of_photos(serve: Serve) -> None:
    client = serve(max_photos=2)
    files = upload(photo()) * 3
    reply = client.post("/v1/predict", files=files)
    assert (reply.status_code, error_of(reply)) == (413, "too-many-photos")
    reply = client.post("/v1/predict", json={"photos": [{"base64": ""}] * 3})
    assert (reply.status_code, error_of(reply)) == (413, "too-many-photos")
    reply = client.post("/v1/predict", data={"model": "pets"}, files=[("other", b"")])
    assert (reply.status_code, error_of(reply)) == (422, "invalid")
    assert "other: there is no such field" in reply.text


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("", 415, "wrong-content-type"),
        ("text/plain", 415, "wrong-content-type"),
        ("application/x-www-form-urlencoded", 415, "wrong-content-type"),
        ("multipart/form-data", 400, "form-broken"),
        ("multipart/form-data; boundary=", 400, "form-broken"),
        ("multipart/form-data; boundary=x", 400, "form-broken"),
        ("application/json", 400, "json-broken"),
        ("application/json; charset=utf-16", 400, "json-broken"),
    ],
)
def test_content_types(serve: Serve, content_type: str, status: int, code: str) -> None:
    reply = serve().post("/v1/predict", content=b"photo=", headers={"Content-Type": content_type})
    assert (reply.status_code, error_of(reply)) == (status, code)


def test_compressed_bodies(serve: Serve) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = serve().post("/v1/predict", content=b"", headers=headers)
    assert (reply.status_code, error_of(reply)) == (415, "compressed")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[" * 100_000, 400),
        (b'{"photos": NaN}', 422),
        (b"\xff\xfe", 400),
        (b"null", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"photos": []}', 422),
        (b'{"photos": "a.jpg"}', 422),
        (b'{"photos": [{"path": "/etc/passwd"}]}', 422),
        (b'{"photos": [{"url": "http://169.254.169.254/"}]}', 422),
        (b'{"photos": [{"base64": "***"}]}', 422),
        ('{"photos": [{"base64": "ä"}]}'.encode(), 422),
        (b'{"photos": [{"base64": 5}]}', 422),
        (b'{"photos": [{"base64": ""}]}', 422),
        (b'{"photos": [{"base64": ""}], "min_score": NaN}', 422),
        (b'{"photos": [{"base64": ""}], "min_score": 2}', 422),
        (b'{"photos": [{"base64": ""}], "min_score": false}', 422),
        (b'{"photos": [{"base64": ""}], "min_score": "0.5"}', 422),
        (b'{"photos": [{"base64": ""}], "classes": "cat"}', 422),
        (b'{"photos": [{"base64": ""}], "model": "\\u0000"}', 404),
        (b'{"photos": [{"base64": ""}], "model": "\\ud800"}', 400),
    ],
)
def test_json(serve: Serve, body: bytes, status: int) -> None:
    reply = serve().post("/v1/predict", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == status, reply.text
    error_of(reply)


def form(*parts: bytes, end: bytes = b"--x--\r\n") -> dict[str, Any]:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end
    return {"content": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


FILE = b'Content-Disposition: form-data; name="photos"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(
    ("request_form", "status", "code"),
    [
        (form(), 422, "no-photos"),
        (form(FILE + photo(), end=b""), 400, "form-broken"),
        (form(b"\r\nno headers"), 400, "form-broken"),
        (form(b"Content-Disposition: form-data\r\n\r\nno name"), 400, "form-broken"),
        (form(b"X: " + b"y" * 10_000 + b"\r\n\r\n"), 400, "form-broken"),
        (form(*[b'Content-Disposition: form-data; name="a"\r\n\r\n'] * 2000), 413, "too-many-fields"),
        (form(b'Content-Disposition: form-data; name="photos"\r\n\r\n/etc/passwd'), 422, "invalid"),
        (form(FILE, FILE + photo()), 422, "photo-unreadable"),
        (
            form(FILE + photo(), *[b'Content-Disposition: form-data; name="model"\r\n\r\npets'] * 2),
            422,
            "invalid",
        ),
        (form(FILE + photo(), b'Content-Disposition: form-data; name="min_score"\r\n\r\nx'), 422, "invalid"),
    ],
)
def test_forms(serve: Serve, request_form: dict[str, Any], status: int, code: str) -> None:
    reply = serve().post("/v1/predict", **request_form)
    assert (reply.status_code, error_of(reply)) == (status, code), reply.text


def test_a_damaged_photo_is_named(serve: Serve) -> None:
    files = [("photos", ("a.png", photo())), ("photos", ("b.png", photo()[:50]))]
    reply = serve().post("/v1/predict", files=files)
    assert (reply.status_code, error_of(reply)) == (422, "photo-unreadable")
    assert "photo 2 (b.png): this photo is damaged or truncated" in reply.text


def test_other_paths_and_methods(serve: Serve) -> None:
    client = serve()
    assert error_of(client.get("/../../etc/passwd")) == "not-found"
    assert error_of(client.get("/docs")) == "not-found"
    assert error_of(client.get("/v1/predict")) == "method-not-allowed"
    assert client.delete("/v1/models").status_code == 405


def test_errors_of_the_server_tell_nothing(serve: Serve) -> None:
    class Broken(Detector):
        def predict(self, pixels: Any) -> Any:
            raise RuntimeError("secret path")

    client = serve(served(predictor=Broken()))
    reply = client.post("/v1/predict", files=upload(photo()))
    assert (reply.status_code, error_of(reply)) == (500, "failed")
    assert "secret" not in reply.text
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/healthz").status_code == 200
