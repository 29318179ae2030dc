"""Options of the server that cannot work are refused before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.serving.conftest import served

from boxmask.errors import UsageError
from boxmask.serving import app
from boxmask.serving.app import create_app
from boxmask.serving.models import load_models
from boxmask.serving.options import ServeOptions


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"port": 70_000}, "--port: expected 0 to 65535, found 70000"),
        ({"queue": 0}, "--queue: expected 1 or more"),
        ({"queue": 4}, "--max-photos .* 16 does not fit into --queue 4"),
        ({"workers": 0}, "--workers: expected 1 or more"),
        ({"max_photos": 0}, "--max-photos .*: expected 1 or more"),
        ({"max_mb": 0.0}, "--max-mb .*: expected a number above 0"),
        ({"timeout": float("nan")}, "--timeout: expected a number above 0"),
        ({"token": "short"}, "--token: expected 16 to 512 characters, found 5"),
        ({"token": "a token with spaces"}, "without spaces"),
        ({"token": "ä" * 20}, "ASCII"),
        ({"allow_host": ("http://a.example",)}, "--allow-host"),
        ({"allow_host": ("a.example:80",)}, "without a port"),
        ({"allow_origin": ("*",)}, "--allow-origin"),
        ({"allow_origin": ("https://a.example/page",)}, "without a path"),
        ({"allow_origin": ("a.example",)}, "https://example.org"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ServeOptions(**options)


def test_no_models() -> None:
    with pytest.raises(UsageError, match="at least one RUN"):
        load_models([])


def test_label_studio_without_the_toolkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "has_toolkit", lambda: False)
    assert create_app([served()], ServeOptions())
    with pytest.raises(UsageError, match=r"needs boxmask\. Replace boxmask-runtime"):
        create_app([served()], ServeOptions(label_studio_photos=tmp_path))


def test_a_missing_folder_of_label_studio(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        create_app([served()], ServeOptions(label_studio_photos=tmp_path / "no"))
