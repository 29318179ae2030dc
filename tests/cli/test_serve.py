"""`boxmask serve`: what it prints, and what it refuses. tests/serving has the server itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import QUICK_FLAGS, Boxmask

from boxmask.serving import server
from boxmask.serving.models import ServedModel
from boxmask.serving.options import ServeOptions
from boxmask.serving.server import Listening

Served = tuple[list[ServedModel], ServeOptions]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """The models and options of servers, which are not started."""
    models, options = list[ServedModel](), list[ServeOptions]()

    def serve_models(
        given: list[ServedModel], chosen: ServeOptions, started: Callable[[Listening], Any]
    ) -> None:
        models.extend(given)
        options.append(chosen)
        is_local = chosen.host == "127.0.0.1"
        started(Listening("http://127.0.0.1:5", is_local, None if is_local else "the-token"))

    monkeypatch.setattr(server, "serve_models", serve_models)
    return models, options  # type: ignore[return-value]


def test_a_run_is_served(boxmask: Boxmask, here: Path, served: Any) -> None:
    data = here / "data"
    make_photos(data)
    assert (
        boxmask("train", data, "--model", "classifier", *QUICK_FLAGS.split(), "--out", "runs/one").status == 0
    )
    done = boxmask("serve", "runs/one", "runs/one", "--port", 5, "--queue", 20)
    assert done.status == 0
    assert done.out.splitlines() == [
        "one: classifier, 2 classes",
        "one-2: classifier, 2 classes",
        "serving at http://127.0.0.1:5; Ctrl-C stops it",
    ]
    assert done.err == (
        "page: open http://127.0.0.1:5 in a browser\n"
        "to ask it: curl -F photos=@photo.jpg http://127.0.0.1:5/v1/predict\n"
    )
    models, options = served
    assert [(model.name, model.form, model.task) for model in models] == [
        ("one", "torch", "classification"),
        ("one-2", "torch", "classification"),
    ]
    assert options[0].queue == 20
    result = models[0].predict(np.zeros((32, 32, 3), dtype=np.uint8), None)
    assert set(result.class_names) == {"cat", "dog"}
    done = boxmask("serve", "runs/one", "--host", "0.0.0.0")
    assert "token (shown once): the-token" in done.err
    assert "not encrypted" in done.err
    assert '-H "Authorization: Bearer TOKEN"' in done.err
    assert "the-token" not in done.out
    done = boxmask("serve", "runs/one", "--token", "x" * 16)
    assert '-H "Authorization: Bearer TOKEN"' in done.err
    assert "x" * 16 not in done.err


def make_photos(data: Path) -> None:
    from PIL import Image

    for name, light in (("cat", 200), ("dog", 50)):
        (data / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (64, 64), (light, light, 10 * number)).save(data / name / f"{number}.png")


def test_the_token_may_come_from_the_environment(
    boxmask: Boxmask, served: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOXMASK_TOKEN", "short")
    done = boxmask("serve", tmp_path / "no.onnx")
    assert done.status == 2
    assert "--token: expected 16 to 512 characters, found 5" in done.err


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 2, "give at least one RUN"),
        (("no.onnx",), 1, "there is no such file"),
        (("no-run",), 1, "no-run"),
        (("no.onnx", "--port", "99999"), 2, "--port: expected 0 to 65535"),
    ],
)
def test_wrong_usage(boxmask: Boxmask, arguments: tuple[str, ...], status: int, says: str) -> None:
    done = boxmask("serve", *arguments)
    assert done.status == status
    assert says in done.err
