"""Who may ask: names of the server, origins of web pages, and the token."""

from __future__ import annotations

import base64

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.serving.conftest import Serve, error_of, photo, served, upload

from boxmask.serving.access import AccessRules
from boxmask.serving.app import create_app
from boxmask.serving.options import ServeOptions
from boxmask.serving.security_headers import SECURITY_HEADERS

TOKEN = "a-token-of-24-characters"


def asked_as(host: str, *, any_address: bool = False, names: tuple[str, ...] = ("localhost", "::1")) -> int:
    app = create_app([served()], ServeOptions(), names=names, any_address=any_address)
    return TestClient(app).get("/healthz", headers={"Host": host}).status_code


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("localhost.", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example:localhost", 421),
        ("localhost@evil.example", 421),
        ("localhost/evil.example", 421),
        ("localhost:99999999", 421),
        ("192.168.1.5", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
def test_hosts(host: str, status: int) -> None:
    assert asked_as(host) == status


def test_names_of_computers_may_have_capitals() -> None:
    assert asked_as("desktop-7:8000", names=("DESKTOP-7",)) == 200


def test_any_address_but_no_other_name() -> None:
    assert asked_as("192.168.1.5:8000", any_address=True) == 200
    assert asked_as("[fe80::1]", any_address=True) == 200
    assert asked_as("evil.example", any_address=True) == 421
    assert asked_as("192.168.1.5.evil.example", any_address=True) == 421


def test_a_name_is_allowed(serve: Serve) -> None:
    client = serve(allow_host=("Photos.example",))
    for host in ("photos.example:80", "Photos.Example"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_origins(serve: Serve, headers: dict[str, str], status: int) -> None:
    reply = serve().post("/v1/predict", files=upload(photo()), headers=headers)
    assert reply.status_code == status
    assert "access-control-allow-origin" not in reply.headers


def test_an_origin_is_allowed(serve: Serve) -> None:
    client = serve(allow_origin=("https://Page.example",), token=TOKEN)
    own, other = {"Origin": "https://page.example"}, {"Origin": "https://evil.example"}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert client.options("/v1/predict", headers=own | asks).status_code == 200
    assert client.options("/v1/predict", headers=other | asks).status_code == 400
    reply = client.post("/v1/predict", files=upload(photo()), headers=own)
    assert reply.status_code == 401
    assert reply.headers["access-control-allow-origin"] == "https://page.example"
    reply = client.post("/v1/predict", files=upload(photo()), headers=other | {"Authorization": TOKEN})
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"label-studio:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (basic(TOKEN), 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (TOKEN, 401),
        ("Bearer", 401),
        (basic("x"), 401),
        ("Basic ***", 401),
        (f"Bearer {'ä' * 24}".encode().decode("latin-1"), 401),
        ("", 401),
    ],
)
def test_the_token(serve: Serve, authorization: str, status: int) -> None:
    client = serve(token=TOKEN)
    headers = {"Authorization": authorization.encode("latin-1")}
    for path in ("/v1/models", "/metrics", "/openapi.json", "/label-studio/health"):
        assert client.get(path, headers=headers).status_code == status
    assert client.post("/v1/predict", files=upload(photo()), headers=headers).status_code == status
    assert client.get("/healthz", headers=headers).status_code == 200
    assert client.get("/readyz", headers=headers).status_code == 200


def test_a_mounted_app_has_the_same_open_paths() -> None:
    app = FastAPI()
    app.mount("/models", create_app([served()], ServeOptions(token=TOKEN), names=["testserver"]))
    client = TestClient(app)
    assert client.get("/models/healthz").status_code == 200
    assert client.get("/models/v1/models").status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.post("/models/v1/predict", files=upload(photo()), headers=headers).status_code == 200


def test_how_to_give_the_token_is_told(serve: Serve) -> None:
    reply = serve(token=TOKEN).get("/v1/models")
    assert error_of(reply) == "wrong-token"
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in reply.text


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/models", "/metrics"])
def test_every_answer_has_security_headers(serve: Serve, path: str) -> None:
    for headers in ({}, {"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        reply = serve().get(path, headers=headers)
        assert {name: reply.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert "server" not in reply.headers


def test_two_hosts_are_refused() -> None:
    from starlette.datastructures import Headers

    from boxmask.serving.errors import RequestError

    rules = AccessRules({"localhost"})
    with pytest.raises(RequestError):
        rules.check_host(Headers(raw=[(b"host", b"localhost"), (b"host", b"localhost")]))
