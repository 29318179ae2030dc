"""The files of the page, what it may offer, and signing in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.serving.conftest import Serve, error_of, photo, served, upload

from boxmask.serving.page import files
from boxmask.serving.page.bundle import MEDIA_TYPES, BundleFile, read_bundle

TOKEN = "a-token-of-24-characters"
SCRIPT = "page/index-abc.js"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A bundle of two files, and files that do not belong to it."""
    (tmp_path / "page").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>boxmask</title>")
    (tmp_path / SCRIPT).write_text("export {};\n" * 100)
    (tmp_path / "page" / ".hidden").write_text("secret")
    (tmp_path / "secret.js").write_text("secret")
    monkeypatch.setattr(files, "read_bundle", lambda: read_bundle(tmp_path))
    return tmp_path


def test_the_files_of_the_page(built: Path, serve: Serve) -> None:
    client = serve()
    index = client.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert "boxmask" in index.text
    assert index.headers["cache-control"] == "no-cache"
    script = client.get(f"/{SCRIPT}")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.text == "export {};\n" * 100
    assert "immutable" in script.headers["cache-control"]
    plain = client.get(f"/{SCRIPT}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == script.content


def test_a_strict_content_policy(built: Path, serve: Serve) -> None:
    policy = serve().get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_an_unchanged_file_is_not_sent_again(built: Path, serve: Serve) -> None:
    client = serve()
    for path in ("/", f"/{SCRIPT}"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/page/.hidden",
        "/page/no.js",
        "/page/../secret.js",
        "/page/..%2Fsecret.js",
        "/page/..%2F..%2Fbundle.py",
        "/page/%2Fetc%2Fpasswd",
        "/secret.js",
        "/index.html",
    ],
)
def test_no_other_file_is_delivered(built: Path, serve: Serve, path: str) -> None:
    assert serve().get(path).status_code == 404


def test_a_page_that_is_not_built(monkeypatch: pytest.MonkeyPatch, serve: Serve, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "read_bundle", lambda: read_bundle(tmp_path))
    reply = serve().get("/")
    assert reply.status_code == 503
    assert "make page" in reply.text


def test_every_file_of_the_bundle_has_a_type() -> None:
    assert all(file.content for file in read_bundle().values())
    assert BundleFile(b"a", MEDIA_TYPES[".css"]).etag != BundleFile(b"b", MEDIA_TYPES[".css"]).etag


# ---------------------------------------------------------------- what it may offer


def test_views_follow_from_models(serve: Serve) -> None:
    offer = serve().get("/v1/page").json()
    assert offer["views"] == ["predict"]
    assert offer["datasets"] == []
    assert offer["limits"] == {"max_photos": 16, "max_bytes": 32_000_000, "max_pixels": 50_000_000}


def test_views_follow_from_data(client_with_data: TestClient, boxes: Path) -> None:
    offer = client_with_data.get("/v1/page").json()
    assert offer["views"] == ["data", "train", "compare", "forecast"]
    assert offer["datasets"] == [{"id": boxes.name, "name": str(boxes), "task": "detection"}]


def test_a_server_without_models_says_so(client_with_data: TestClient) -> None:
    assert client_with_data.get("/v1/models").json() == {"models": []}
    for reply in (
        client_with_data.post("/v1/predict", files=upload(photo())),
        client_with_data.get("/label-studio/health"),
    ):
        assert reply.status_code == 404
        assert error_of(reply) == "no-models"


# ---------------------------------------------------------------- signing in


def test_the_page_needs_no_token_but_its_answers_do(built: Path, serve: Serve) -> None:
    client = serve(token=TOKEN)
    assert client.get("/").status_code == 200
    assert client.get(f"/{SCRIPT}").status_code == 200
    for path in ("/v1/page", "/v1/models", "/page/../v1/models", "/openapi.json"):
        assert client.get(path).status_code == 401


def test_the_token_is_exchanged_for_a_cookie(serve: Serve) -> None:
    client = serve(token=TOKEN)
    reply = client.post("/v1/session", json={"token": TOKEN})
    assert reply.status_code == 204
    cookie = reply.headers["set-cookie"]
    assert re.search(r"^boxmask-\w{12}=\w{64}; HttpOnly; Path=/; SameSite=strict$", cookie)
    assert TOKEN not in cookie
    assert client.get("/v1/models").status_code == 200
    assert client.get("/v1/models", headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": TOKEN + "x"}, 401),
        ({"token": ""}, 401),
        ({"token": 1}, 422),
        ({}, 422),
        ({"token": TOKEN, "more": 1}, 422),
    ],
)
def test_wrong_tokens(serve: Serve, body: dict[str, object], status: int) -> None:
    reply = serve(token=TOKEN).post("/v1/session", json=body)
    assert reply.status_code == status
    assert "set-cookie" not in reply.headers


def test_forms_cannot_sign_in(serve: Serve) -> None:
    text = json.dumps({"token": TOKEN})
    reply = serve(token=TOKEN).post("/v1/session", content=text, headers={"Content-Type": "text/plain"})
    assert reply.status_code == 415


def test_wrong_cookies(serve: Serve) -> None:
    client, other = serve(token=TOKEN), serve(token=TOKEN[::-1])
    cookie = other.post("/v1/session", json={"token": TOKEN[::-1]}).headers["set-cookie"].partition(";")[0]
    name = client.post("/v1/session", json={"token": TOKEN}).headers["set-cookie"].partition("=")[0]
    client.cookies.clear()
    for header in (
        cookie,
        f"{name}={TOKEN}",
        f"{name}=",
        name,
        "=",
        'a="',
        f"{name}={cookie.partition('=')[2]}",
    ):
        assert client.get("/v1/models", headers={"Cookie": header}).status_code == 401


@pytest.mark.parametrize("other", ['foo={"a":1}', "a b=c", "=", 'a="', "이름=값"])
def test_cookies_of_other_servers_do_not_matter(serve: Serve, other: str) -> None:
    client = serve(token=TOKEN)
    cookie = client.post("/v1/session", json={"token": TOKEN}).headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    for header in (f"{other}; {cookie}", f"{cookie}; {other}"):
        assert client.get("/v1/models", headers={"Cookie": header.encode()}).status_code == 200


def test_without_a_token_no_cookie_is_needed(serve: Serve) -> None:
    reply = serve(served()).post("/v1/session", json={"token": "anything"})
    assert reply.status_code == 204
    assert "set-cookie" not in reply.headers
