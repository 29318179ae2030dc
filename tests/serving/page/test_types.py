"""The description of the routes that the types of the page are made from."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "page"


def outline(document: dict[str, Any]) -> dict[str, Any]:
    """The routes, and the fields of bodies. Versions of FastAPI describe the rest in different ways."""
    return {
        "paths": {path: sorted(methods) for path, methods in document["paths"].items()},
        "schemas": {
            name: (sorted(schema.get("properties", {})), sorted(schema.get("required", ())))
            for name, schema in document["components"]["schemas"].items()
        },
    }


def test_the_page_knows_the_routes_of_the_server() -> None:
    script = PAGE / "scripts" / "openapi.py"
    spec = importlib.util.spec_from_file_location("openapi_script", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kept = json.loads((PAGE / "src" / "api" / "openapi.json").read_text(encoding="utf-8"))
    assert outline(kept) == outline(module.description()), "run: make page-types"
