"""Health, metrics, and the description of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.serving.conftest import Serve, photo, upload


def test_health_and_readiness(serve: Serve) -> None:
    client = serve()
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    client.app.state.server.is_ready = False  # type: ignore[attr-defined]
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json()) == (503, {"status": "stopping"})


def test_metrics(serve: Serve) -> None:
    client = serve()
    client.post("/v1/predict", files=upload(photo()) * 3)
    client.post("/v1/predict", files=upload(b"no photo"))
    client.get("/anything/at/all")
    reply = client.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain")
    lines = reply.text.splitlines()
    assert 'boxmask_photos_total{model="pets"} 3.0' in lines
    assert 'boxmask_requests_total{path="/v1/predict",status="200"} 1.0' in lines
    assert 'boxmask_requests_total{path="/v1/predict",status="422"} 1.0' in lines
    assert 'boxmask_requests_total{path="other",status="404"} 1.0' in lines
    assert "boxmask_queue_photos 0.0" in lines
    assert "boxmask_queue_limit 64.0" in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_description_is_complete(serve: Serve) -> None:
    client = serve()
    document = client.get("/openapi.json").json()
    assert "security" not in document
    for reference in references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    assert "$defs" not in json.dumps(document)
    predict = document["paths"]["/v1/predict"]["post"]
    assert set(predict["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    assert {"200", "400", "413", "415", "422", "429", "503"} <= set(predict["responses"])
    assert "/label-studio/predict" in document["paths"]
    assert serve(token="x" * 16).app.openapi()["security"] == [{"token": []}]  # type: ignore[attr-defined]


def test_the_example_of_the_description_works(serve: Serve) -> None:
    client = serve()
    document = client.get("/openapi.json").json()
    content = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    example = content["examples"]["one photo"]["value"]
    reply = client.post("/v1/predict", json=example)
    assert reply.status_code == 200
    assert reply.json()["results"][0]["width"] == 32
