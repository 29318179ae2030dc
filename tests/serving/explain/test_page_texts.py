"""What the page's own texts about the stages refer to: the names and facts of all methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.explaining.conftest import small
from tests.serving.explain.test_explain_route import painted, torch_model

from boxmask.explaining.explain import explain_photo
from boxmask.models.table import MODELS
from boxmask.serving.explain.document import reply_to

FILE = Path(__file__).parents[3] / "page" / "src" / "views" / "look-inside" / "methods.json"
"""The stages of each method without layers, for the tests of the page. `python -m` this file writes it."""


def outline(name: str) -> dict[str, Any]:
    """The reply of a small model without its layers."""
    explanation = explain_photo(small(name), painted())
    reply = reply_to(explanation, torch_model(name), "a.png", (120, 150), pictures=False)
    document: dict[str, Any] = reply.model_dump(by_alias=True, exclude_none=True)
    stages = [
        {"name": each["name"], "area": each["area"], "facts": each["facts"]} for each in document["stages"]
    ]
    return {key: document[key] for key in ("method", "width", "height")} | {"stages": stages}


@pytest.mark.parametrize("name", MODELS)
def test_the_page_knows_the_stages(name: str) -> None:
    known = json.loads(FILE.read_text(encoding="utf-8"))
    assert set(known) == set(MODELS)
    current, kept = outline(name), known[name]
    assert [each["name"] for each in current["stages"]] == [each["name"] for each in kept["stages"]]
    for one, other in zip(current["stages"], kept["stages"], strict=True):
        assert set(one["facts"]) == set(other["facts"]), f"write {FILE.name} again"


if __name__ == "__main__":
    written = {name: outline(name) for name in MODELS}
    FILE.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
