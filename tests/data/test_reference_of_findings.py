"""The reference lists exactly the kinds of findings in the code."""

from __future__ import annotations

import pkgutil
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import boxmask
from boxmask.data.findings import Kind

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"
ROW = re.compile(r"^\| `(?P<id>[a-z-]+)` \| (?P<severity>error|warning|note) \|(?P<rest>.*)\|$", re.MULTILINE)


def kinds() -> list[Kind]:
    """The constants of all modules, each once."""
    names = [module.name for module in pkgutil.walk_packages(boxmask.__path__, "boxmask.")]
    modules = [import_module(name) for name in names if not name.endswith("__main__")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Kind)]
    return list({id(kind): kind for kind in found}.values())


def test_the_reference_lists_every_kind_once_with_its_severity() -> None:
    listed = [(row["id"], row["severity"]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(set(listed)) == len(listed)
    assert {(kind.id, kind.severity) for kind in kinds()} == set(listed)


def test_every_row_has_meaning_example_and_remedy() -> None:
    for row in ROW.finditer(PAGE.read_text(encoding="utf-8")):
        assert all(cell.strip() for cell in row["rest"].split("|")), row[0]
        assert row["rest"].count("|") == 2, row[0]


def test_kinds_are_written_alike() -> None:
    for kind in kinds():
        assert re.fullmatch("[a-z]+(-[a-z]+)+", kind.id)
        assert kind.severity in ("error", "warning", "note")
        assert not kind.heading.endswith(".")
        assert kind.remedy.endswith((".", ")"))


def test_each_id_belongs_to_one_kind() -> None:
    assert [kind_id for kind_id, count in Counter(kind.id for kind in kinds()).items() if count > 1] == []
