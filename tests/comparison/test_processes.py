"""The process of one model, seen from the one that compares."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from boxmask.comparison.processes import _events


def test_an_event_that_a_kill_has_cut_is_passed_over() -> None:
    process: Any = SimpleNamespace(
        stdin=io.StringIO(), stdout=io.StringIO('{"step": "training"}\n{"step": "eval')
    )
    assert list(_events(process, {})) == [{"step": "training"}]
