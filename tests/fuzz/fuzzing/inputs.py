"""The input of a fuzzing target: files by path, and how the corpus stores them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TypeAlias

Files: TypeAlias = dict[str, bytes]
"""The content of each file by its relative path, with "/" between folders."""

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def write_files(files: Files, folder: Path) -> None:
    """Write the files into a folder. Paths that no disk can hold are left out."""
    for name, content in files.items():
        path = folder / name
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except (OSError, ValueError):  # too long, a folder in the place of a file, a NUL
            continue


def read_corpus(target: str) -> list[Files]:
    """The seeds and the regressions of a target, sorted by name."""
    return [read_input(path) for path in sorted((CORPUS / target).glob("*.json"))]


def read_input(path: Path) -> Files:
    """An input that `save_input` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: _bytes(value) for name, value in content.items()}


def save_input(files: Files, folder: Path, prefix: str) -> Path:
    """Write an input to a folder, such as the one of its target in the corpus; as text where it is text."""
    content = json.dumps({name: _readable(value) for name, value in files.items()}, indent=1)
    digest = hashlib.sha256(content.encode()).hexdigest()[:10]
    path = folder / f"{prefix}-{digest}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content + "\n", encoding="utf-8")
    return path


def _readable(content: bytes) -> object:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    assert isinstance(value, dict)
    return base64.b64decode(value["base64"])
