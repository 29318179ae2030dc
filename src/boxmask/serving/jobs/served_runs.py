"""Trained models join those that the server offers, without a restart."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from boxmask.serving.models import load_models
from boxmask.serving.state import ServerState

MAX_JOINED = 8  # models that joined; the one that joined first leaves


class ServedRuns:
    """The runs that have joined the models of a server."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._names: dict[Path, str] = {}
        self._lock = threading.Lock()

    def name_of(self, run: Path) -> str | None:
        """The name under which a run is served; None if it is not."""
        return self._names.get(run)

    def join(self, run: Path) -> str:
        """Serve a run, and return its name. A run that is trained further is loaded again.

        Raises CheckpointError if it cannot be loaded.
        """
        model = load_models([run], self._state.options)[0]
        with self._lock:
            before = self._names.pop(run, None)
            models = [each for each in self._state.models if each.name != before]
            if len(self._names) >= MAX_JOINED:
                oldest = self._names.pop(next(iter(self._names)))
                models = [each for each in models if each.name != oldest]
            name, number = run.name, 1
            while any(each.name == name for each in models):
                number += 1
                name = f"{run.name}-{number}"
            self._state.models = [*models, replace(model, name=name)]  # one step: others read it meanwhile
            self._names[run] = name
        return name
